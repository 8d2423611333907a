/** Exchanges with a registry, written down so that a reader sees request and answer side by side. */
import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';

const MIB = 1024 * 1024;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY_CONFIG = '{}';
/** The content of every blob in the table is a beginning of this. */
const PATTERN = Buffer.alloc(32 * MIB);
for (let at = 0; at < PATTERN.length; at += 8) PATTERN.writeDoubleLE(Math.sin(at + 1), at);

/** What an answer has to look like. A header that is null must be absent. */
export interface Expected {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** Must occur in the body. */
  readonly says?: string | RegExp;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: Buffer | undefined;
  /** Send so many bytes of the body, then break the connection. */
  readonly cutAt?: number | undefined;
  /** What holds once the request has succeeded. */
  readonly done?: (() => void) | undefined;
}

/** One request of a transcript, made when its turn comes. */
export interface Step {
  readonly title: string;
  make(talk: Talk): Promise<Request> | Request;
}

export type Line = readonly [step: Step, status: number | 'cut', rest?: Omit<Expected, 'status'>];

interface ChunkOptions {
  /** Where the chunk claims to begin; default: where the last one ended. */
  readonly at?: number;
  /** False: no Content-Range. */
  readonly ranged?: boolean;
  /** In place of the right Content-Range. */
  readonly range?: string;
  /** Transfer-Encoding in place of a Content-Length. */
  readonly streamed?: boolean;
  readonly cutAt?: number;
  /** An upload URL from before: 0 is the one of the POST. */
  readonly location?: number;
  readonly headers?: Record<string, string>;
}

/** `POST …/blobs/uploads/`; with bytes, `?digest=` and the blob as its body. */
export function post(
  options: { query?: string; bytes?: number; headers?: Record<string, string> } = {},
): Step {
  const { query, bytes, headers = {} } = options;
  return {
    title: `POST${query ? ` ?${query}` : ''}${bytes === undefined ? '' : ` ?digest= of ${bytes} bytes`}`,
    make(talk) {
      talk.begin();
      const url = new URL(`${talk.base}/blobs/uploads/${query ? `?${query}` : ''}`);
      if (bytes === undefined) return { method: 'POST', url, headers };
      talk.sent(0, bytes);
      url.searchParams.set('digest', talk.digest());
      const type = { 'Content-Type': 'application/octet-stream' };
      return { method: 'POST', url, headers: { ...type, ...headers }, body: PATTERN.subarray(0, bytes) };
    },
  };
}

/** A PATCH to the newest upload URL. */
export function chunk(bytes: number, options: ChunkOptions = {}): Step {
  return {
    title: `PATCH of ${bytes} bytes ${describe(options)}`,
    make: (talk) => talk.body('PATCH', bytes, options),
  };
}

/** The closing PUT; with bytes, they are the last chunk, or the whole blob. */
export function commit(bytes = 0, options: ChunkOptions & { digest?: string } = {}): Step {
  return {
    title: `PUT of ${bytes} bytes ${describe(options)}`,
    make(talk) {
      const made = talk.body('PUT', bytes, { ranged: false, ...options });
      made.url.search += `${made.url.search === '' ? '?' : '&'}digest=${options.digest ?? talk.digest()}`;
      return made;
    },
  };
}

/** GET or DELETE of the upload session. */
export function session(method: 'GET' | 'DELETE', options: Pick<ChunkOptions, 'location'> = {}): Step {
  return {
    title: `${method} of the session ${describe(options)}`,
    make: (talk) => ({ method, url: new URL(talk.location(options.location)), headers: {} }),
  };
}

/** Any other request. In the path `@blob` is the digest of the last upload, `@tag` that of the manifest put there. */
export function ask(method: string, path: string, headers: Record<string, string> = {}): Step {
  return {
    title: `${method} ${path}`,
    make: (talk) => ({ method, url: new URL(`${talk.base}/${talk.resolve(path)}`), headers }),
  };
}

/** PUT of a manifest, with the blobs that it names sent before. The same `content` is the same digest. */
export function manifest(
  reference: string,
  options: { layers?: number; content?: string; fields?: Record<string, unknown>; missing?: boolean } = {},
): Step {
  const { layers = 1, content = reference, fields = {}, missing } = options;
  return {
    title: `PUT manifests/${reference} with ${layers} layers`,
    async make(talk) {
      const config = await talk.blob(EMPTY_CONFIG);
      const layer = missing ? { digest: sha('not there'), size: 9 } : await talk.blob(`layer of ${content}`);
      const body = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST,
          config: { mediaType: 'application/vnd.example.config', ...config },
          layers: Array.from({ length: layers }, () => ({ mediaType: 'application/octet-stream', ...layer })),
          annotations: { content },
          ...fields,
        }),
      );
      const done = () => {
        talk.names.set(reference, sha(body));
        talk.names.set(`${reference}-layer`, layer.digest);
      };
      const url = new URL(`${talk.base}/manifests/${reference}`);
      return { method: 'PUT', url, headers: { 'Content-Type': MANIFEST }, body, done };
    },
  };
}

/** A conversation with one repository. */
export class Talk {
  readonly base: string;
  readonly names = new Map<string, string>();
  #locations: string[] = [];
  #bytes = 0;

  constructor(registryUrl: string, repository: string) {
    this.base = `${registryUrl}/v2/${repository}`;
  }

  /** Sends the request; undefined where the connection broke, as the step wants it. */
  async run(step: Step): Promise<Reply | undefined> {
    const made = await step.make(this);
    if (made.cutAt !== undefined) {
      await sendAndCut(made, made.cutAt);
      return undefined;
    }
    const reply = await exchange(made);
    if (reply.status < 300) made.done?.();
    const { location } = reply.headers;
    const upload = made.url.pathname.includes('/blobs/uploads/');
    if (upload && location && reply.status !== 201) this.#locations.push(new URL(location, made.url).href);
    // ECR answers chunks 201.
    else if (made.method === 'PATCH' && location) this.#locations.push(new URL(location, made.url).href);
    return reply;
  }

  begin(): void {
    this.#locations = [];
    this.#bytes = 0;
  }

  location(index = this.#locations.length - 1): string {
    const found = this.#locations[index];
    if (found === undefined) throw new Error(`there is no upload URL ${index}`);
    return found;
  }

  sent(at: number, bytes: number): void {
    this.#bytes = Math.max(this.#bytes, at + bytes);
    this.names.set('blob', this.digest());
  }

  digest(): string {
    return sha(PATTERN.subarray(0, this.#bytes));
  }

  resolve(path: string): string {
    return path.replaceAll(/@([\w.-]+)/g, (_, name: string) => {
      const digest = this.names.get(name);
      if (digest === undefined) throw new Error(`nothing is called ${name}`);
      return digest;
    });
  }

  body(method: string, bytes: number, options: ChunkOptions): Request {
    const { at = this.#bytes, ranged = true, range, streamed, cutAt, location } = options;
    const headers: Record<string, string> = {
      'Content-Type': 'application/octet-stream',
      ...options.headers,
    };
    if (ranged || range !== undefined) headers['Content-Range'] = range ?? `${at}-${at + bytes - 1}`;
    if (streamed) headers['Transfer-Encoding'] = 'chunked';
    // The digest in a closing PUT counts its own bytes.
    if (method === 'PUT') this.sent(at, bytes);
    const url = new URL(this.location(location));
    const done = () => this.sent(at, bytes);
    return { method, url, headers, body: PATTERN.subarray(at, at + bytes), cutAt, done };
  }

  /** Stores a small blob, in the one way that all registries take. */
  async blob(content: string): Promise<{ digest: string; size: number }> {
    const digest = sha(content);
    const opened = await exchange({
      method: 'POST',
      url: new URL(`${this.base}/blobs/uploads/`),
      headers: {},
    });
    const url = new URL(opened.headers.location ?? '', `${this.base}/`);
    url.search += `${url.search === '' ? '?' : '&'}digest=${digest}`;
    const headers = { 'Content-Type': 'application/octet-stream' };
    const stored = await exchange({ method: 'PUT', url, headers, body: Buffer.from(content) });
    if (stored.status !== 201) throw new Error(`a blob was not stored: ${stored.status} ${stored.body}`);
    return { digest, size: content.length };
  }
}

/** Why a reply is not the expected one, in words; empty when it is. */
export function differences(reply: Reply, expected: Expected): string[] {
  const found: string[] = [];
  if (reply.status !== expected.status) found.push(`status ${reply.status}, expected ${expected.status}`);
  for (const [name, wanted] of Object.entries(expected.headers ?? {})) {
    const value = reply.headers[name.toLowerCase()];
    const text = Array.isArray(value) ? value.join(', ') : value;
    const fits =
      wanted === null
        ? text === undefined
        : wanted instanceof RegExp
          ? wanted.test(text ?? '')
          : text === wanted;
    if (!fits) found.push(`${name}: ${text}, expected ${wanted}`);
  }
  const body = reply.body.toString();
  const { says } = expected;
  if (says !== undefined && !(says instanceof RegExp ? says.test(body) : body.includes(says))) {
    found.push(`body ${body.slice(0, 200)}, expected ${says}`);
  }
  return found;
}

function describe({ at, ranged, range, streamed, cutAt, location }: ChunkOptions): string {
  return [
    at === undefined ? '' : `at ${at}`,
    ranged === false ? 'without Content-Range' : '',
    range === undefined ? '' : `Content-Range: ${range}`,
    streamed ? 'streamed' : '',
    cutAt === undefined ? '' : `cut at ${cutAt}`,
    location === undefined ? '' : `at URL ${location}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function sha(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function exchange({ method, url, headers, body }: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const length = headers['Transfer-Encoding'] ? {} : { 'Content-Length': String(body?.length ?? 0) };
    const outgoing = request(
      url,
      { method, agent: false, headers: { ...length, ...headers } },
      (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(pieces),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends the head and some of the body, hangs up, and waits until the registry has done the same. */
function sendAndCut({ method, url, headers, body = Buffer.alloc(0) }: Request, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const all = { Host: url.host, 'Content-Length': String(body.length), ...headers };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(Number(url.port), url.hostname, () => {
      socket.write(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${head.join('')}\r\n`);
      socket.end(body.subarray(0, bytes));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') reject(error);
    });
    socket.on('close', () => resolve()).resume();
  });
}
