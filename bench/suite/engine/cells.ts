/** The situations of each task, from what was asked for. */
import type { RegistryName } from '../../../test/support/realRegistries.ts';
import { contestant } from './contestants.ts';
import type { Cell } from './transfers.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

export interface Choice {
  readonly registries: readonly RegistryName[];
  /** In milliseconds. */
  readonly roundTrips: readonly number[];
  /** Per connection, in MiB per second; 0 for none. */
  readonly bandwidths: readonly number[];
  readonly concurrencies: readonly number[];
  /** Beside which ours pushes and pulls. */
  readonly peers: readonly string[];
  /** A tenth of the objects. */
  readonly quick: boolean;
  /** Of objects, in MiB. */
  readonly sizes: readonly number[];
}

const named = (...names: string[]) => names.map(contestant);
/** Beside oras alone, which writes an artifact of many files: image tools have one image. */
const withOras = ({ peers }: Choice) => named('ours', ...peers.filter((name) => name === 'oras'));

function* links({ roundTrips, bandwidths }: Choice) {
  for (const roundTripMs of roundTrips)
    for (const mib of bandwidths)
      yield { roundTripMs, bandwidthBytesPerSecond: mib === 0 ? undefined : mib * MIB };
}

const LOOPBACK = { roundTripMs: 0 };

function transfers(task: Cell['task']) {
  return (choice: Choice): Cell[] =>
    choice.registries.flatMap((registry) =>
      [...links(choice)].map((link) => ({
        ...{ task, registry, ...link, contestants: named('ours', ...choice.peers) },
        ...{ objectBytes: 20 * MIB, objects: choice.quick ? 4 : 32 },
      })),
    );
}

const MOVED_MIB = 640;
/** Each is some requests, and 64 KiB would be ten thousand objects otherwise. */
const MOST_OBJECTS = 2000;

/** As many objects of each size as are some 500 MiB. */
function sizes({ sizes: all, quick }: Choice): (readonly [objects: number, objectBytes: number])[] {
  return all.map((mib) => {
    const objects = Math.min(MOST_OBJECTS, mib >= 64 ? 512 / mib : MOVED_MIB / mib / (mib < 20 ? 2.5 : 1));
    return [Math.max(1, Math.round(quick ? objects / 10 : objects)), mib * MIB];
  });
}

/** Each task by the name that chooses it. */
export const TRANSFER_TASKS: Record<string, (choice: Choice) => Cell[]> = {
  push: transfers('push'),
  pull: transfers('pull'),
  small: (choice) =>
    choice.registries.flatMap((registry) =>
      [...links(choice)].map((link) => ({
        ...{ task: 'push' as const, registry, ...link, contestants: withOras(choice) },
        ...{ objectBytes: 64 * KIB, objects: choice.quick ? 200 : 2000 },
      })),
    ),
  sizes: (choice) =>
    choice.registries.flatMap((registry) =>
      (['push', 'pull'] as const).flatMap((task) =>
        sizes(choice).map(([objects, objectBytes]) => ({
          ...{ task, registry, objects, objectBytes, ...LOOPBACK },
          contestants: withOras(choice),
        })),
      ),
    ),
  concurrency: (choice) =>
    choice.registries.flatMap((registry) =>
      choice.roundTrips.flatMap((roundTripMs) =>
        choice.concurrencies.map((concurrency) => ({
          ...{ task: 'push' as const, registry, roundTripMs, concurrency },
          ...{ objectBytes: MIB, objects: choice.quick ? 32 : 128, contestants: withOras(choice) },
        })),
      ),
    ),
  modes: (choice) =>
    choice.registries.map((registry) => ({
      ...{ task: 'push' as const, registry, ...LOOPBACK },
      ...{ objectBytes: 20 * MIB, objects: choice.quick ? 4 : 16 },
      contestants: named(
        ...['ours', 'ours-native-monolithic', 'ours-native-chunked'],
        ...['ours-wasm-monolithic', 'ours-wasm-chunked'],
      ),
    })),
};
