import { CHANNELS } from '../../registry/events.ts';

/** Seconds that requests waited before they were sent, or sent again, by reason. */
export type WaitSeconds = Readonly<Record<string, number>>;

/** Adds up waiting, from now on. */
export function addUpWaits(): { seconds(): WaitSeconds; stop(): void } {
  const totals: Record<string, number> = {};
  const add = (reason: string, ms: number) => {
    totals[reason] = (totals[reason] ?? 0) + ms / 1000;
  };
  const ends = [
    CHANNELS.wait.subscribe(({ reason, waitedMs }) => add(reason, waitedMs)),
    CHANNELS.retry.subscribe(({ delayMs }) => add('retry', delayMs)),
  ];
  return {
    seconds: () => ({ ...totals }),
    stop: () => {
      for (const end of ends) end();
    },
  };
}
