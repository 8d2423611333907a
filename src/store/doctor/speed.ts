import { readBlob } from '../../registry/blobs.ts';
import { collected } from '../collected.ts';
import { MIB, newBlob } from './content.ts';
import { type DoctorContext, said } from './context.ts';
import { type Finding, found, type Probe } from './finding.ts';
import { storeWhole } from './store.ts';

const MOST_BYTES = 8 * MIB;
const LEAST_BYTES = MIB / 4;

const rate = (bytes: number, ms: number) => `${(bytes / MIB / (Math.max(ms, 0.1) / 1000)).toFixed(1)} MiB/s`;

export const up: Probe = {
  name: 'goodput-up',
  title: 'Speed up',
  needs: 'blob',
  async run(context) {
    // Half of it is to come back.
    let bytes = Math.min(MOST_BYTES, Math.floor(context.bytesLeft / 2));
    let refusal = '';
    for (; bytes >= LEAST_BYTES; bytes = Math.floor(bytes / 2)) {
      const blob = newBlob(bytes);
      context.spend(bytes);
      const startedMs = performance.now();
      const stored = await storeWhole(context, blob);
      const tookMs = performance.now() - startedMs;
      if (stored === 'stored') {
        context.largeBlob = blob;
        return [
          found(this, 'ok', `${rate(bytes, tookMs)}, one body of ${size(bytes)}`),
          bodies(bytes, refusal),
        ];
      }
      refusal = said(stored);
    }
    if (refusal === '') return [found(this, 'skipped', 'the bound on bytes is used up')];
    return [found(this, 'skipped', 'no body of some length went through'), bodies(0, refusal)];
  },
};

const BODY = { name: 'body-length', title: 'Length of a body' };

function bodies(bytes: number, refusal: string): Finding {
  if (refusal === '') return found(BODY, 'ok', `up to ${size(bytes)}, which is as far as was tried`);
  const works = bytes > 0 ? `${size(bytes)} works, twice as much does not` : `not even ${size(LEAST_BYTES)}`;
  const detail = `${works} (${refusal}): a proxy with a limit? (nginx: client_max_body_size)`;
  return found(BODY, 'limited', detail, { facts: { bodyMaxBytes: Math.max(bytes, LEAST_BYTES) } });
}

export const down: Probe = {
  name: 'goodput-down',
  title: 'Speed down',
  needs: 'blob',
  async run(context) {
    const blob = context.largeBlob ?? context.blob;
    if (!blob || !context.spend(blob.content.length)) {
      return [found(this, 'skipped', 'the bound on bytes is used up')];
    }
    const { content, digest } = blob;
    const startedMs = performance.now();
    const read = await readAll(context, digest, 0, undefined);
    const tookMs = performance.now() - startedMs;
    if (!Buffer.from(content).equals(read)) {
      return [found(this, 'failed', 'what came back is not what was sent', { essential: true })];
    }
    return [
      found(this, 'ok', `${rate(content.length, tookMs)}, ${size(content.length)}`, { essential: true }),
    ];
  },
};

export const range: Probe = {
  name: 'range',
  title: 'Read a part',
  needs: 'blob',
  async run(context) {
    const { blob } = context;
    if (!blob) return [];
    const statuses: number[] = [];
    const hosts = new Set<string>();
    const watched: DoctorContext['exchange'] = {
      ...context.exchange,
      transport: async (request) => {
        const answer = await context.exchange.transport(request);
        statuses.push(answer.status);
        hosts.add(request.url.host);
        return answer;
      },
    };
    const [offset, length] = [10_000, 1000];
    const part = await readAll({ ...context, exchange: watched }, blob.digest, offset, length);
    if (!part.equals(blob.content.subarray(offset, offset + length))) {
      return [found(this, 'failed', 'the bytes are others than those asked for', { essential: true })];
    }
    const elsewhere = hosts.size > 1 ? `, from ${[...hosts].at(-1)}` : '';
    if (statuses.at(-1) === 206) return [found(this, 'ok', `206${elsewhere}`)];
    const detail = `answered with the whole blob (${statuses.at(-1)})${elsewhere}: reads of parts cost their whole packfile`;
    return [found(this, 'limited', detail)];
  },
};

async function readAll(
  context: Pick<DoctorContext, 'exchange' | 'signal'>,
  digest: string,
  offset: number,
  length: number | undefined,
): Promise<Buffer> {
  return collected(readBlob(context.exchange, digest, { offset, length }, context.signal));
}

function size(bytes: number): string {
  return bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}
