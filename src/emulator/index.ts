export type {
  AuthOptions,
  AuthUser,
  ChallengeOptions,
  GuardedRequest,
  Right,
  TokenServiceOptions,
} from './auth/options.ts';
export type { AnswerHead, Exchange, FaultAction, FaultPlan, RouteName } from './faults.ts';
export type { ProfileSettings } from './profiles/behaviourOf.ts';
export type { ProfileName } from './profiles/index.ts';
export type { EmulatorProfile, Evidence, Refusal, Trust } from './profiles/profile.ts';
export type { StorageRequest } from './profiles/storageHost.ts';
export { type OpenSession, type RegistryOptions, type RunningRegistry, startRegistry } from './registry.ts';
export type { LoggedRequest, RequestFilter } from './requestLog.ts';
