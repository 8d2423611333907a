/**
 * The least that a client can do: the requests of an operation and nothing else, so that what a registry takes can be
 * told from what we take. No retries, no limits, no checks but the status.
 */
import { createHash } from 'node:crypto';
import { Pool } from 'undici';
import { buildManifest } from '../../../src/store/manifest.ts';
import { type ObjectRef, tagOf } from '../../../src/store/objectNames.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export class BareRequests {
  readonly #pool: Pool;
  readonly #base: string;
  requests = 0;

  constructor(address: string, repository: string) {
    this.#pool = new Pool(`http://${address}`, { connections: 64, allowH2: false });
    this.#base = `/v2/${repository}`;
  }

  async put(ref: ObjectRef, content: Uint8Array): Promise<void> {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const opened = await this.#send('POST', `${this.#base}/blobs/uploads/`, 202);
    const location = new URL(String(opened.headers.location), 'http://registry');
    location.searchParams.set('digest', digest);
    await this.#send('PUT', location.pathname + location.search, 201, content);
    const manifest = buildManifest(ref, [{ digest, bytes: content.length }]);
    await this.#send('PUT', `${this.#base}/manifests/${tagOf(ref)}`, 201, manifest, MANIFEST);
  }

  async get(ref: ObjectRef): Promise<number> {
    const { body } = await this.#send('GET', `${this.#base}/manifests/${tagOf(ref)}`, 200);
    const manifest = JSON.parse(body.toString()) as { layers: { digest: string }[] };
    const blob = await this.#send('GET', `${this.#base}/blobs/${manifest.layers[0]?.digest}`, 200);
    return blob.body.length;
  }

  /** The tag, and the manifest that it leaves behind. */
  async delete(ref: ObjectRef): Promise<void> {
    const path = `${this.#base}/manifests/`;
    const { headers } = await this.#send('GET', path + tagOf(ref), 200);
    const byTag = await this.#send('DELETE', path + tagOf(ref), 0);
    if (byTag.status === 202) await this.#send('DELETE', path + headers['docker-content-digest'], 0);
    // distribution 2 deletes no tags.
    else await this.#send('DELETE', path + headers['docker-content-digest'], 202);
  }

  /** The pages of the tag list, as bytes; returns how many. */
  async list(): Promise<number> {
    let [pages, path] = [0, `${this.#base}/tags/list?n=1000`];
    for (;;) {
      const { headers } = await this.#send('GET', path, 200);
      pages++;
      const next = /<([^>]+)>/.exec(String(headers.link ?? ''))?.[1];
      if (next === undefined) return pages;
      path = next;
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #send(method: string, path: string, wanted: number, body?: Uint8Array, type?: string) {
    this.requests++;
    const answer = await this.#pool.request({
      method: method as 'GET',
      path,
      body: body ?? null,
      headers: {
        Accept: MANIFEST,
        ...(body && { 'Content-Type': type ?? 'application/octet-stream' }),
      },
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (wanted !== 0 && answer.statusCode !== wanted)
      throw new Error(`${method} ${path}: ${answer.statusCode} ${bytes.toString().slice(0, 200)}`);
    return { status: answer.statusCode, headers: answer.headers, body: bytes };
  }
}
