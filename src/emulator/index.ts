export type {
  AuthOptions,
  AuthUser,
  ChallengeOptions,
  GuardedRequest,
  Right,
  TokenServiceOptions,
} from './auth/options.ts';
export type { AnswerHead, Exchange, FaultAction, FaultPlan, RouteName } from './faults.ts';
export { type OpenSession, type RegistryOptions, type RunningRegistry, startRegistry } from './registry.ts';
export type { LoggedRequest, RequestFilter } from './requestLog.ts';
