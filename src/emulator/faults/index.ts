export { parseFaults } from './parseFaults.ts';
export type { CountedPlan, FaultCount } from './specifiedPlan.ts';
