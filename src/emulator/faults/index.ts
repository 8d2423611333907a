export { type FaultOptions, parseFaults } from './parseFaults.ts';
export type { CountedPlan, FaultCount } from './specifiedPlan.ts';
