import type { IncomingHttpHeaders } from 'node:http';
import type { Guard } from './auth/guard.ts';
import type { Behaviour } from './behaviour.ts';
import type { Catalogue, Repository } from './catalogue.ts';
import type { RouteName } from './faults.ts';
import type { KeyedLock } from './keyedLock.ts';
import type { RequestBody } from './requestBody.ts';
import type { Storage } from './storage.ts';
import type { UploadSessions } from './uploadSessions.ts';

/** What the handlers of one registry share. */
export interface Context {
  readonly storage: Storage;
  readonly catalogue: Catalogue;
  readonly sessions: UploadSessions;
  /** Keeps two changes to the same blob, manifest or tag apart. */
  readonly lock: KeyedLock;
  /** Which registry this one is. */
  readonly behaviour: Behaviour;
  /** Absent where everybody may do everything. */
  readonly guard?: Guard | undefined;
}

/** What the path of a request says. */
export interface Target {
  readonly route: RouteName;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly repository: string;
  readonly reference: string;
}

/** One request as a handler sees it: names are valid already. */
export interface Call extends Target {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: RequestBody;
  readonly known: Repository | undefined;
}
