/** Why a request waited: a Retry-After, a rate limit, or too many others under way. */
export type WaitReason = 'retry-after' | 'rate' | 'window';

/** A request was refused for being one too many. */
interface ThrottleEvent {
  readonly kind: string;
  /** What the host asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Requests of the kind per second from now on; Infinity where nothing limits them. */
  readonly perSecond: number;
}

/** A request waited before it was sent. */
export interface WaitEvent {
  readonly kind: string;
  readonly reason: WaitReason;
  readonly ms: number;
}

/** Hooks for those who count or show what flow control does. They must not throw. */
export interface FlowHooks {
  readonly onThrottle?: ((event: ThrottleEvent) => void) | undefined;
  readonly onWait?: ((event: WaitEvent) => void) | undefined;
}
