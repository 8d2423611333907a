import { api, clock, reach, roundTrip, tls } from './connection.ts';
import type { Probe } from './finding.ts';
import { manifest, mount, mutability, referrers } from './manifests.ts';
import { pull, push } from './rights.ts';
import { down, range, up } from './speed.ts';
import { deletion, listing } from './tagProbes.ts';
import { atOnce, chunked, streamed, whole } from './uploads.ts';

/** All probes, in the order in which each finds what it needs. */
export const PROBES: readonly Probe[] = [
  reach,
  tls,
  api,
  clock,
  roundTrip,
  pull,
  push,
  whole,
  atOnce,
  streamed,
  chunked,
  up,
  down,
  range,
  mount,
  manifest,
  mutability,
  listing,
  referrers,
  deletion,
];
