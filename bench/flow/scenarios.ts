/** The registries of the table, and what is put on them. */
import type { DocumentedCap } from '../../src/flow/hostFlow.ts';
import type { ModelCap, ModelSettings } from './modelRegistry.ts';
import type { Load } from './simulate.ts';

const MIB = 1024 * 1024;

export interface Scenario {
  readonly settings: ModelSettings;
  readonly load: Load;
  /** From here on the steady state is looked at, in milliseconds. */
  readonly settledMs: number;
}

const MANIFESTS: ModelCap = { kinds: ['manifest-write'], perSecond: 10, burst: 10 };
const SESSIONS: ModelCap = { kinds: ['upload-start'], perSecond: 100, burst: 100 };
const LINK = { roundTripMs: 50, workMs: 10, mibPerSecond: 100, errorShare: 0 };
const SMALL: Load = { objects: 2000, workers: 16, bytes: 100_000 };

function scenario(
  name: string,
  caps: readonly ModelCap[],
  more: Partial<ModelSettings> = {},
  load: Partial<Load> = {},
  settledMs = 10_000,
): Scenario {
  return { settings: { ...LINK, name, caps, ...more }, load: { ...SMALL, ...load }, settledMs };
}

export const CAPPED = scenario('10 manifests/s, 100 sessions/s', [MANIFESTS, SESSIONS]);
export const HALVING = scenario('the cap halves after 100 s', [
  { ...MANIFESTS, laterMs: 100_000, laterPerSecond: 5 },
  SESSIONS,
]);
export const SHARED = scenario(
  'two clients share the cap',
  [MANIFESTS, SESSIONS],
  {},
  { clients: 2, untilMs: 200_000 },
);

export const SCENARIOS: readonly Scenario[] = [
  CAPPED,
  scenario('the same, Retry-After: 1', [
    { ...MANIFESTS, retryAfterMs: 1000 },
    { ...SESSIONS, retryAfterMs: 1000 },
  ]),
  HALVING,
  scenario('burst of 100 at 10/s', [{ ...MANIFESTS, burst: 100 }], {}, {}, 30_000),
  scenario('33 requests/s of all kinds', [
    { kinds: ['upload-start', 'upload-commit', 'manifest-write'], perSecond: 33, burst: 33 },
  ]),
  scenario(
    'no cap, 40 MiB/s, 96 objects at once',
    [],
    { mibPerSecond: 40 },
    { objects: 600, workers: 96, bytes: 4 * MIB },
  ),
  scenario('no cap, 5 % answered 503', [], { errorShare: 0.05 }),
  SHARED,
];

/** The caps of a scenario as a registry would document them. */
export function documentedCaps({ settings }: Scenario): DocumentedCap[] {
  return settings.caps.map(({ kinds, perSecond, burst }) => ({ kinds, perSecond, burst }));
}
