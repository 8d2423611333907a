/** What a profile knows is never found out at the registry's expense. Each registry counts what it refuses. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Exchange, FaultAction, FaultPlan } from '../../src/emulator/index.ts';
import { streamSource } from '../../src/engine/streamSource.ts';
import type { OciStoreOptions } from '../../src/store/openStore.ts';
import {
  isCommit,
  isPatch,
  isStart,
  isStatus,
  MIB,
  pieces,
  type Rig,
  refuse,
  startRig,
  withHeaders,
} from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';

const SMALL = seededBytes(1, 3 * MIB);
const LONG = seededBytes(2, 25 * MIB + 11);

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

interface Refusing {
  readonly plan: FaultPlan;
  /** What was refused, in words. */
  readonly refused: string[];
}

function refusing(
  rule: (exchange: Exchange) => [what: string, answer: FaultAction] | undefined,
  answer?: FaultPlan['answer'],
): Refusing {
  const refused: string[] = [];
  return {
    refused,
    plan: {
      before: (exchange) => {
        const found = rule(exchange);
        if (found) refused.push(found[0]);
        return found?.[1];
      },
      ...(answer && { answer }),
    },
  };
}

const lengthOf = (exchange: Exchange) => Number(exchange.headers['content-length'] ?? 0);

/** Google takes one PATCH and refuses a second one. */
const google = () =>
  refusing((exchange) =>
    isPatch(exchange) && exchange.headers['content-range'] !== undefined
      ? ['a chunk', refuse(400, 'BLOB_UPLOAD_INVALID')]
      : undefined,
  );

/** GitHub refuses requests with a Content-Range above 4 MiB, and one on a whole body. */
const github = () =>
  refusing((exchange) => {
    if (exchange.headers['content-range'] === undefined) return undefined;
    if (isCommit(exchange)) return ['a range on the commit', refuse(416)];
    if (lengthOf(exchange) <= 4 * MIB) return undefined;
    const message = 'the request body is too large and exceeds the maximum permissible limit of 4.00MiB';
    return ['a long chunk', refuse(416, 'REQUESTED_RANGE_NOT_SATISFIABLE', message)];
  });

/** Amazon: parts below 5 MiB, an empty commit after parts; 201 for a part, a Range that sticks, no status. */
const amazon = () => {
  let parts = 0;
  return refusing(
    (exchange) => {
      if (isStart(exchange)) parts = 0;
      if (isPatch(exchange)) parts++;
      if (isPatch(exchange) && lengthOf(exchange) < 5 * MIB)
        return ['a short part', refuse(400, 'BLOB_UPLOAD_INVALID')];
      if (isCommit(exchange) && parts > 0 && lengthOf(exchange) === 0)
        return ['an empty commit', refuse(500)];
      if (isStatus(exchange)) return ['a status', refuse(404)];
      return undefined;
    },
    (exchange, answer) =>
      isPatch(exchange) ? withHeaders({ ...answer, status: 201 }, { range: `0-${5 * MIB}` }) : undefined,
  );
};

/** Cloudflare: parts of one length from 5 MiB on, but for the last; a commit whose body it forgets. */
const cloudflare = () => {
  let lengths: number[] = [];
  return refusing((exchange) => {
    if (isStart(exchange)) lengths = [];
    if (exchange.query.has('digest') && isStart(exchange))
      return ['a single POST', { kind: 'respond', status: 202 }];
    if (isCommit(exchange) && lengths.length > 0 && lengthOf(exchange) > 0)
      return ['a late body', refuse(500)];
    if (!isPatch(exchange)) return undefined;
    const [first = lengthOf(exchange)] = lengths;
    const short =
      lengths.some((length) => length < first) || (lengths.length > 0 && lengthOf(exchange) > first);
    lengths.push(lengthOf(exchange));
    return short ? ['an unequal part', refuse(416, 'RANGE_ERROR')] : undefined;
  });
};

/** distribution, Harbor and GitLab take the body of a POST and forget it. */
const distribution = () =>
  refusing((exchange) =>
    exchange.query.has('digest') && isStart(exchange)
      ? ['a single POST', { kind: 'respond', status: 202, headers: { Location: `${exchange.path}none` } }]
      : undefined,
  );

async function cost(
  registry: Refusing,
  options: OciStoreOptions,
  content: 'bytes' | 'stream',
): Promise<string[]> {
  rig = await startRig(options);
  rig.registry.setFaults(registry.plan);
  const [wanted, source] =
    content === 'bytes' ? [SMALL, SMALL] : [LONG, streamSource(pieces(LONG, 1_000_000), 'a stream')];
  try {
    await rig.put(1, source);
  } catch (error) {
    // A stream cannot be sent a second time: what was refused is the answer.
    if (content === 'bytes' || registry.refused.length === 0) throw error;
    return registry.refused;
  }
  rig.registry.setFaults(undefined);
  expect((await rig.read(1)).equals(wanted)).toBe(true);
  expect(rig.registry.openSessions()).toEqual([]);
  return registry.refused;
}

describe('with its profile, a registry has nothing to refuse', () => {
  it.each([
    ['gar', google],
    ['ghcr', github],
    ['ecr', amazon],
    ['ecr-public', amazon],
    ['cloudflare', cloudflare],
    ['harbor', distribution],
    ['gitlab', distribution],
    ['registry2', distribution],
  ] as const)('%s', async (profile, registry) => {
    expect(await cost(registry(), { profile }, 'bytes')).toEqual([]);
    await rig?.close();
    expect(await cost(registry(), { profile }, 'stream')).toEqual([]);
  });

  it.each([
    ['Google', google, 'a chunk'],
    ['GitHub', github, 'a long chunk'],
    ['Amazon', amazon, 'an empty commit'],
  ] as const)('without, %s has', async (_, registry, what) => {
    expect(await cost(registry(), {}, 'stream')).toContain(what);
  });
});

describe('the forms that follow', () => {
  it('ecr: chunks of 10 MiB, and the last one in the closing PUT', async () => {
    const lengths: number[] = [];
    rig = await startRig({ profile: 'ecr' });
    rig.registry.setFaults({
      before: (exchange) => {
        if (isPatch(exchange) || isCommit(exchange)) lengths.push(lengthOf(exchange));
        return undefined;
      },
    });
    await rig.put(1, streamSource(pieces(LONG, 1_000_000), 'a stream'));
    expect(lengths).toEqual([10 * MIB, 10 * MIB, 5 * MIB + 11]);
  });

  it.each(['acr', 'quay', 'artifactory', 'zot'] as const)(
    '%s: one request for the bytes',
    async (profile) => {
      rig = await startRig({ profile }, true);
      await rig.put(1, SMALL);
      expect(rig.spent()).toEqual({ 'upload-commit': 1, 'manifest-write': 1 });
    },
  );

  it('ghcr: chunks that a user insists on keep the limit', async () => {
    const registry = github();
    expect(
      await cost(registry, { profile: 'ghcr', uploadMode: 'chunked', chunkBytes: 16 * MIB }, 'stream'),
    ).toEqual([]);
  });

  it('the limit of a blob counts where it is below the part size', async () => {
    rig = await startRig({ profile: 'ghcr', partBytes: 1024 ** 4 });
    rig.host.seed({ blobMaxBytes: 10_000_000_000 });
    await rig.host.ready();
    expect(rig.host.maxBlobBytes).toBe(10_000_000_000);
    const limited = await startRig({});
    limited.host.seed({ blobMaxBytes: 2 * MIB });
    await limited.put(1, LONG);
    expect(limited.spent()['upload-commit']).toBe(Math.ceil(LONG.length / (2 * MIB)));
    expect((await limited.read(1)).equals(LONG)).toBe(true);
    await limited.close();
  });
});
