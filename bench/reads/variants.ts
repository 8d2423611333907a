/** Other constants than the chosen ones, to see what each of them is worth. */
import { DEFAULT_READ_POLICY, type ReadPolicy } from '../../src/store/reads/readPolicy.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const CACHE = 64 * MIB;

export interface Variant {
  readonly name: string;
  readonly policy: ReadPolicy;
  readonly cacheBytes: number;
}

const of = (name: string, change: Partial<ReadPolicy>, cacheBytes = CACHE): Variant => ({
  name,
  policy: { ...DEFAULT_READ_POLICY, ...change },
  cacheBytes,
});
const credit = DEFAULT_READ_POLICY.credit;

export const CHOSEN: Variant = of('as chosen', {});

export const VARIANTS: readonly Variant[] = [
  CHOSEN,
  of('blocks of 64 KiB', { blockBytes: 64 * KIB }),
  of('blocks of 256 KiB', { blockBytes: 256 * KIB }),
  of('requests of 2 MiB', { requestBytes: 2 * MIB }),
  of('requests of 4 MiB', { requestBytes: 4 * MIB }),
  of('requests of 8 MiB', { requestBytes: 8 * MIB }),
  of('waited for: 1 MiB', { demandRequestBytes: MIB }),
  of('waited for: 4 MiB', { demandRequestBytes: 4 * MIB }),
  of('window 128 KiB', { windowBytes: 128 * KIB }),
  of('window 512 KiB', { windowBytes: 512 * KIB }),
  of('near 32 KiB', { nearBytes: 32 * KIB }),
  of('near 512 KiB', { nearBytes: 512 * KIB }),
  of('1 stream', { streams: 1 }),
  of('2 streams', { streams: 2 }),
  of('8 streams', { streams: 8 }),
  of('whole to 1 MiB', { wholeBytes: MIB }),
  of('whole to 8 MiB', { wholeBytes: 8 * MIB }),
  of('ahead 1 ×', { aheadRatio: 1 }),
  of('ahead 4 ×', { aheadRatio: 4 }),
  of('ahead to 8 MiB', { maxAheadBytes: 8 * MIB }),
  of('ahead to 32 MiB', { maxAheadBytes: 32 * MIB }),
  of('nothing ahead', { maxAheadBytes: 0 }),
  of('no opening', { openingBytes: Number.POSITIVE_INFINITY }),
  of('nothing for steps', { credit: { ...credit, bytesPerStep: 0, freeBytes: MIB } }),
  of('credit ratio 0.1', { credit: { ...credit, ratio: 0.1 } }),
  of('credit ratio 0.5', { credit: { ...credit, ratio: 0.5 } }),
  of('no limit of credit', { credit: { ...credit, freeBytes: 1024 * MIB } }),
  of('memory 16 MiB', {}, 16 * MIB),
  of('memory 32 MiB', {}, 32 * MIB),
  of('memory 128 MiB', {}, 128 * MIB),
];
