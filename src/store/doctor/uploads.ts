import { headBlob } from '../../registry/blobs.ts';
import { EMPTY_CONFIG } from '../manifest.ts';
import { KIB, MIB, newBlob } from './content.ts';
import { type DoctorContext, said } from './context.ts';
import { type Finding, found, type Probe } from './finding.ts';
import { type Stored, storeAtOnce, storeChunked, storeStreamed, storeWhole } from './store.ts';

const SMALL_BYTES = 64 * KIB;
const LIMITS = [5 * MIB, 16 * MIB];
const NARROWER = [4 * MIB, MIB];

const spoken = (bytes: number) => (bytes < MIB ? `${bytes / KIB} KiB` : `${bytes / MIB} MiB`);

export const whole: Probe = {
  name: 'upload-whole',
  title: 'Upload in one PUT',
  needs: 'session',
  async run(context) {
    const blob = newBlob(SMALL_BYTES);
    context.spend(SMALL_BYTES);
    const stored = await storeWhole(context, blob);
    if (stored !== 'stored') return [found(this, 'failed', said(stored))];
    const bytes = await headBlob(context.exchange, blob.digest, context.signal);
    if (bytes !== SMALL_BYTES) {
      return [found(this, 'failed', `stored ${SMALL_BYTES} bytes, and it says it has ${bytes ?? 'none'}`)];
    }
    context.blob = blob;
    context.has.add('blob');
    return [found(this, 'ok', 'POST and PUT')];
  },
};

export const atOnce: Probe = {
  name: 'upload-post',
  title: 'Upload in one POST',
  needs: 'session',
  async run(context) {
    const blob = newBlob(SMALL_BYTES);
    context.spend(SMALL_BYTES);
    const stored = await storeAtOnce(context, blob);
    if (
      stored === 'stored' &&
      (await headBlob(context.exchange, blob.digest, context.signal)) === SMALL_BYTES
    ) {
      const facts = { singlePost: true };
      return [found(this, 'ok', 'a request less for each object', { facts })];
    }
    const why =
      stored === undefined
        ? 'the body is ignored'
        : stored === 'stored'
          ? 'said so, and has it not'
          : said(stored);
    return [found(this, 'not possible', why, { facts: { singlePost: false } })];
  },
};

export const streamed: Probe = {
  name: 'upload-patch',
  title: 'Upload in one PATCH',
  needs: 'session',
  async run(context) {
    const blob = newBlob(SMALL_BYTES);
    context.spend(SMALL_BYTES);
    const stored = await storeStreamed(context, blob);
    if (stored !== 'stored') return [found(this, 'not possible', said(stored))];
    context.blob ??= blob;
    context.has.add('blob');
    return [found(this, 'ok', 'POST, PATCH and PUT')];
  },
};

export const chunked: Probe = {
  name: 'upload-chunks',
  title: 'Upload in chunks',
  needs: 'session',
  async run(context) {
    const attempt = await smallestThatWorks(context);
    if (!attempt) {
      return [found(this, 'not possible', 'refused in every length', { facts: { takesChunks: false } })];
    }
    const { bytes, lastInCommit } = attempt;
    const least = bytes > SMALL_BYTES ? { chunkMinBytes: bytes } : {};
    const facts = { takesChunks: true, ...least, ...(lastInCommit && { commitWithLastChunk: true }) };
    const how = lastInCommit ? ', the last one in the PUT' : '';
    const verdict = bytes > SMALL_BYTES || lastInCommit ? 'limited' : 'ok';
    const findings = [found(this, verdict, `chunks of ${spoken(bytes)}${how}`, { facts })];
    return [...findings, await longest(context, bytes, lastInCommit)];
  },
};

const LENGTH = { name: 'chunk-length', title: 'Length of a chunk' };

interface Worked {
  readonly bytes: number;
  readonly lastInCommit: boolean;
}

async function smallestThatWorks(context: DoctorContext): Promise<Worked | undefined> {
  for (const bytes of [SMALL_BYTES, LIMITS[0] ?? SMALL_BYTES]) {
    // ECR has failed on a closing PUT without a body; Cloudflare forgets the body of one.
    for (const lastInCommit of [false, true]) {
      const stored = await tryChunks(context, bytes, lastInCommit);
      if (stored === 'stored') return { bytes, lastInCommit };
    }
  }
  return undefined;
}

/** A chunk of the length, and a short last one. `undefined` where the bound on bytes does not allow it. */
async function tryChunks(
  context: DoctorContext,
  bytes: number,
  lastInCommit: boolean,
): Promise<Stored | undefined> {
  const total = bytes + SMALL_BYTES / 2;
  if (!context.spend(total)) return undefined;
  const blob = newBlob(total);
  const stored = await storeChunked(context, blob, bytes, lastInCommit);
  if (stored === 'stored') {
    context.blob ??= blob;
    context.has.add('blob');
  }
  return stored;
}

async function longest(context: DoctorContext, least: number, lastInCommit: boolean): Promise<Finding> {
  let works = least;
  for (const bytes of LIMITS) {
    if (bytes <= works) continue;
    // What is left is for the measurement of speed.
    if (context.bytesLeft < bytes * 1.5) {
      return found(LENGTH, 'ok', `${spoken(works)} and more; not tried further for the bound on bytes`);
    }
    const stored = await tryChunks(context, bytes, lastInCommit);
    if (stored === 'stored') {
      works = bytes;
      continue;
    }
    for (const narrower of NARROWER) {
      if (
        narrower > works &&
        narrower < bytes &&
        (await tryChunks(context, narrower, lastInCommit)) === 'stored'
      ) {
        works = narrower;
        break;
      }
    }
    const why = stored === undefined ? '' : ` (${said(stored)})`;
    const facts = { chunkMaxBytes: works };
    return found(LENGTH, 'limited', `${spoken(works)} works, ${spoken(bytes)} does not${why}`, { facts });
  }
  return found(LENGTH, 'ok', `up to ${spoken(works)}, which is as far as was tried`);
}

/** The two-byte blob that every manifest names. It stays: a store needs it as well. */
export async function ensureEmptyConfig(context: DoctorContext): Promise<void> {
  const { digest, content } = EMPTY_CONFIG;
  if ((await headBlob(context.exchange, digest, context.signal)) !== undefined) return;
  const stored = await storeWhole(context, { digest, content });
  // Another store in the repository may name it, or be about to.
  context.trash.gone(digest);
  if (stored !== 'stored') throw stored;
}
