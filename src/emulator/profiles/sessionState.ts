import { createHmac, randomBytes } from 'node:crypto';
import type { UploadSession } from '../uploadSessions.ts';
import type { SessionState } from './profile.ts';

/** What a state in the query of a Location says about its session. */
export type StateVerdict = 'fresh' | 'stale' | 'missing';

/** Writes and reads the state that registries keep in the query of an upload's Location. */
export class SessionSeal {
  // As distribution does without `http.secret`: another process, or the same one started again, knows no old state.
  readonly #secret = randomBytes(32);
  readonly #kind: SessionState;

  constructor(kind: SessionState) {
    this.#kind = kind;
  }

  /** The query for the Location of a session as it is now, with its question mark. */
  queryOf(session: UploadSession): string {
    switch (this.#kind) {
      case 'none':
        return '';
      case 'hash':
        return `?_stateHash=${this.#sign(session.id, session.bytes).slice(0, 43)}`;
      case 'opaque':
        return `?_nouploadcache=false&_state=${this.#state(session)}`;
      default:
        return `?_state=${this.#state(session)}`;
    }
  }

  judge(session: UploadSession, query: URLSearchParams): StateVerdict {
    if (this.#kind === 'none') return 'fresh';
    if (this.#kind === 'hash') {
      const hash = query.get('_stateHash');
      if (hash === null) return 'missing';
      return hash === this.#sign(session.id, session.bytes).slice(0, 43) ? 'fresh' : 'stale';
    }
    const offset = this.#open(query.get('_state') ?? '', session.id);
    if (offset === undefined) return 'missing';
    return offset === session.bytes || this.#kind === 'opaque' ? 'fresh' : 'stale';
  }

  #state(session: UploadSession): string {
    const text = Buffer.from(JSON.stringify({ UUID: session.id, Offset: session.bytes })).toString(
      'base64url',
    );
    // Padding, as distribution writes it: it has to come back as it is, and clients have encoded it anew.
    return `${text}.${this.#sign(session.id, session.bytes)}=`;
  }

  #open(state: string, id: string): number | undefined {
    const [text = '', signature = ''] = state.split('.');
    try {
      const { UUID, Offset } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
      if (UUID !== id || typeof Offset !== 'number') return undefined;
      return signature === `${this.#sign(id, Offset)}=` ? Offset : undefined;
    } catch {
      return undefined;
    }
  }

  #sign(id: string, offset: number): string {
    return createHmac('sha256', this.#secret).update(`${id} ${offset}`).digest('base64url');
  }
}
