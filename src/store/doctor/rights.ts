import { asKlosetError, type KlosetError } from '../../errors.ts';
import { getManifest } from '../../registry/manifests.ts';
import { withQuery } from '../../registry/uploadLocation.ts';
import { startUpload, uploadStatus } from '../../registry/uploads.ts';
import { CONFIG_TAG } from '../objectNames.ts';
import { said } from './context.ts';
import { found, type Probe } from './finding.ts';

export const pull: Probe = {
  name: 'pull',
  title: 'Right to read',
  needs: 'answer',
  async run(context) {
    const url = withQuery(context.url('tags/list'), 'n', '10');
    const reply = await context.ask({ kind: 'tag-list', method: 'GET', url });
    if (reply.status === 200) {
      const config = await getManifest(context.exchange, CONFIG_TAG, context.signal);
      const holds = config ? 'the repository holds a store' : 'the repository holds no store';
      return [found(this, 'ok', holds, { essential: true })];
    }
    // Most registries make a repository with its first manifest.
    if (reply.status === 404)
      return [found(this, 'ok', 'the repository does not exist yet', { essential: true })];
    return [found(this, 'failed', reasonFor(reply.error, said(reply)), { essential: true })];
  },
};

export const push: Probe = {
  name: 'push',
  title: 'Right to write',
  needs: 'answer',
  async run(context) {
    const { exchange, trash, signal } = context;
    const essential = { essential: true };
    let session: Awaited<ReturnType<typeof startUpload>>;
    try {
      session = await startUpload(exchange);
    } catch (thrown) {
      const error = asKlosetError(thrown);
      if (signal?.aborted) throw error;
      return [found(this, 'failed', reasonFor(error, said(error)), essential)];
    }
    if (session === 'mounted') return [found(this, 'failed', 'a mount that nobody asked for', essential)];
    context.has.add('session');
    const open = trash.session(session);
    const findings = [found(this, 'ok', 'an upload may be started', essential)];

    const status = await uploadStatus(exchange, session, signal);
    findings.push(
      status
        ? found(STATUS, 'ok', 'an upload that broke off is asked where it is')
        : found(STATUS, 'not possible', 'an upload that broke off is started over'),
    );
    const reply = await context.ask({
      kind: 'upload-cancel',
      method: 'DELETE',
      url: status?.url ?? session.url,
    });
    const cancelled = reply.status < 300 || reply.status === 404;
    if (cancelled) open.closed();
    findings.push(
      cancelled
        ? found(CANCEL, 'ok', 'an upload that is given up leaves nothing')
        : found(CANCEL, 'not possible', `${said(reply)}; the registry purges what is left in its own time`),
    );
    return findings;
  },
};

const STATUS = { name: 'session-status', title: 'State of an upload' };
const CANCEL = { name: 'session-cancel', title: 'Cancel an upload' };

function reasonFor(error: KlosetError | undefined, answer: string): string {
  if (error?.code === 'AUTH_REQUIRED') return `credentials are missing or wrong (${answer})`;
  if (error?.code === 'ACCESS_DENIED') return `the account may not, or a quota is full (${answer})`;
  if (error?.code === 'REPOSITORY_UNKNOWN') return `the repository has to be created first (${answer})`;
  return answer;
}
