import { getManifest, OCI_MANIFEST_TYPE } from '../../registry/manifests.ts';
import { startUpload } from '../../registry/uploads.ts';
import { digestOf } from '../manifest.ts';
import { bodyOf, doctorManifest } from './content.ts';
import { type DoctorContext, type Reply, said } from './context.ts';
import { type Finding, found, type Probe } from './finding.ts';
import { ensureEmptyConfig } from './uploads.ts';

const LOOKS = 8;
const LOOK_EVERY_MS = 250;

/** Puts a manifest of ours under a tag of ours; both are remembered for the clean-up. */
export async function putOwn(context: DoctorContext, tag: string, bytes: Uint8Array): Promise<Reply> {
  // Before the request: an answer that is lost leaves a tag all the same.
  context.trash.tag(tag);
  const reply = await context.ask({
    kind: 'manifest-write',
    method: 'PUT',
    url: context.url(`manifests/${tag}`),
    headers: { 'content-type': OCI_MANIFEST_TYPE },
    body: bodyOf(bytes),
  });
  if (reply.error) return reply;
  context.trash.manifest(digestOf(bytes));
  return reply;
}

export const tagA = (context: DoctorContext) => `${context.tagBase}-a`;
export const tagB = (context: DoctorContext) => `${context.tagBase}-b`;

export const manifest: Probe = {
  name: 'manifest',
  title: 'Tagged artifacts',
  needs: 'blob',
  async run(context) {
    const { blob } = context;
    if (!blob) return [];
    const essential = { essential: true };
    await ensureEmptyConfig(context);
    const tag = tagA(context);
    let bytes = doctorManifest(tag, blob, 1);
    let reply = await putOwn(context, tag, bytes);
    const findings = [];
    if (reply.error && [400, 405, 415].includes(reply.status)) {
      const refused = said(reply);
      bytes = doctorManifest(tag, blob, 1, true);
      reply = await putOwn(context, tag, bytes);
      if (!reply.error) {
        const facts = { artifactTypeRefused: true };
        findings.push(
          found(TYPE, 'not possible', `${refused}: objects are stored in the form of OCI 1.0`, { facts }),
        );
      }
    } else if (!reply.error) findings.push(found(TYPE, 'ok', 'taken'));
    if (reply.error) {
      context.trash.gone(tag);
      return [found(this, 'failed', said(reply), essential)];
    }
    context.has.add('manifest');
    findings.unshift(found(this, 'ok', 'stored under a tag', essential));
    return [...findings, await visibility(context, tag, bytes)];
  },
};

const TYPE = { name: 'artifact-type', title: 'artifactType' };
const VISIBLE = { name: 'read-after-write', title: 'Read after write' };

async function visibility(context: DoctorContext, tag: string, bytes: Uint8Array): Promise<Finding> {
  const essential = { essential: true };
  const lateMs = await settledAfterMs(context, tag, bytes);
  if (lateMs === undefined) {
    return found(VISIBLE, 'failed', 'what was just stored is not there, or other bytes are', essential);
  }
  return lateMs === 0
    ? found(VISIBLE, 'ok', 'at once, byte for byte', essential)
    : found(VISIBLE, 'limited', `after ${lateMs} ms`, essential);
}

/**
 * How long it takes until a tag has just these bytes, or is gone, in milliseconds: 0 where the first look shows it,
 * `undefined` where it does not come to that. Some registries answer from a copy that lags behind.
 */
export async function settledAfterMs(
  { exchange, signal }: DoctorContext,
  tag: string,
  bytes: Uint8Array | undefined,
): Promise<number | undefined> {
  const startedMs = performance.now();
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await exchange.clock.sleep(LOOK_EVERY_MS, signal);
    const stored = (await getManifest(exchange, tag, signal))?.bytes;
    const settled = bytes ? stored && Buffer.from(stored).equals(bytes) : stored === undefined;
    if (settled) return look === 0 ? 0 : Math.ceil(performance.now() - startedMs);
  }
  return undefined;
}

export const mutability: Probe = {
  name: 'tag-mutability',
  title: 'Move a tag',
  needs: 'manifest',
  async run(context) {
    const { blob } = context;
    if (!blob) return [];
    const tag = tagA(context);
    const bytes = doctorManifest(tag, blob, 2, context.host.artifactTypeRefused);
    const reply = await putOwn(context, tag, bytes);
    if (!reply.error && (await settledAfterMs(context, tag, bytes)) !== undefined) {
      return [found(this, 'ok', 'a lock is refreshed in place', { facts: { tagsMutable: true } })];
    }
    const detail = `${said(reply)}: tags are immutable here; a lock is refreshed under a new tag`;
    return [found(this, 'limited', detail, { facts: { tagsMutable: false } })];
  },
};

export const referrers: Probe = {
  name: 'referrers',
  title: 'Referrers',
  needs: 'manifest',
  async run(context) {
    const stored = await getManifest(context.exchange, tagA(context), context.signal);
    const digest = stored?.digest ?? (stored && digestOf(stored.bytes));
    if (!digest) return [found(this, 'skipped', 'there is no manifest to ask for')];
    const reply = await context.ask({
      kind: 'manifest-read',
      method: 'GET',
      url: context.url(`referrers/${digest}`),
    });
    // A store makes no use of it; other tools do.
    if (reply.status === 200 && /"manifests"\s*:/.test(reply.text)) return [found(this, 'ok', 'served')];
    return [found(this, 'not possible', `${said(reply)}; a store does without`)];
  },
};

export const mount: Probe = {
  name: 'mount',
  title: 'Mount a blob',
  needs: 'blob',
  async run(context) {
    const { blob, exchange } = context;
    if (!blob) return [];
    const { repository } = exchange.reference;
    const answer = await startUpload(exchange, { digest: blob.digest, from: repository });
    if (answer === 'mounted') return [found(this, 'ok', 'copies within the registry move no bytes')];
    context.trash.session(answer);
    return [
      found(this, 'not possible', 'answered with an upload; copies within the registry send the bytes'),
    ];
  },
};
