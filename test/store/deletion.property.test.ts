/**
 * Random lives of a store on registries of random abilities, held against a model: what is live is there with its
 * content, what is not is nowhere, and nothing that somebody else's tag names is ever touched, whoever crashes when.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { type ObjectRef, tagOf } from '../../src/store/objectNames.ts';
import { type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { collect, FAST_RETRY, refOf } from '../engine/rig.ts';
import { pushImage, taggedDigest } from '../support/foreignImage.ts';
import { type Abilities, RegistryAbilities } from '../support/registryAbilities.ts';
import { seededBytes } from '../support/seededBytes.ts';

const OBJECTS: readonly ObjectRef[] = [
  refOf(0),
  refOf(1),
  refOf(2),
  { ...refOf(3), type: 'state' },
  { ...refOf(4), type: 'lock' },
];
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const FOREIGN = ['latest', 'v1'];
/** Long ones beside those that ride in their manifests, so that reads of them need the blob. */
const CONTENTS = [seededBytes(1, 100), seededBytes(2, 6000), seededBytes(3, 6000)];

type Crash = { readonly after: number; readonly lands: boolean } | undefined;
type Action =
  | {
      readonly kind: 'put' | 'delete' | 'go-put';
      readonly object: number;
      readonly content: number;
      readonly crash: Crash;
    }
  | { readonly kind: 'restart' };

const abilities: fc.Arbitrary<Abilities> = fc.record(
  {
    byTag: fc.constantFrom('works', 'refused', 'refused', 'protected'),
    byDigest: fc.constantFrom(
      'works',
      'works',
      'works',
      'refused',
      'untagged',
      'dangling',
      'dropped',
      'protected',
    ),
    immutable: fc.constantFrom(
      ...[
        { status: 400, code: 'TAG_INVALID' },
        { status: 409, code: 'TAG_IMMUTABLE' },
        { status: 412, code: 'PRECONDITION' },
      ],
    ),
  },
  { requiredKeys: ['byTag', 'byDigest'] },
);
const crash = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ after: fc.nat(6), lands: fc.boolean() }) },
);
const change = fc.record({
  kind: fc.constantFrom('put', 'put', 'delete', 'delete', 'go-put'),
  object: fc.nat(OBJECTS.length - 1),
  content: fc.nat(CONTENTS.length - 1),
  crash,
}) as fc.Arbitrary<Action>;
const action = fc.oneof(
  { weight: 6, arbitrary: change },
  { weight: 1, arbitrary: fc.constant<Action>({ kind: 'restart' }) },
);

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

/** One store with the model of it. */
class Life {
  readonly #plan: RegistryAbilities;
  readonly #repository: string;
  readonly #shared: boolean;
  /** The content of what is live. After a crash there may be two answers, until one is seen. */
  readonly #model = new Map<number, readonly (Buffer | undefined)[]>();
  readonly #foreign = new Map<string, string>();
  #open: OpenOciStore;

  constructor(abilities: Abilities, number: number, shared: boolean) {
    this.#plan = new RegistryAbilities(abilities);
    this.#repository = `life/n${number}`;
    this.#shared = shared;
    registry.setFaults(this.#plan);
    this.#open = this.#process();
  }

  /** @param goFirst whether the Go connector has been here, and put three objects of one content */
  async begin(goFirst: boolean): Promise<void> {
    // The blobs that manifests in the manner of the Go connector name.
    const { store } = this.#process();
    for (const [number, content] of CONTENTS.entries())
      await store.put(refOf(100 + number), bufferSource(content, 'x'));
    for (const number of goFirst ? [0, 1, 3] : [])
      await this.#goPut(number, OBJECTS[number] as ObjectRef, CONTENTS[1] as Buffer, []);
    if (!this.#shared) return;
    for (const tag of FOREIGN)
      this.#foreign.set(tag, await pushImage(registry.address, this.#repository, tag));
  }

  /** Where others use the repository, somebody may give one of our manifests a tag of theirs. */
  async #tag(ref: ObjectRef): Promise<void> {
    if (!this.#shared || (await this.#status(tagOf(ref))) !== 200) return;
    const tag = `keep-${this.#foreign.size}`;
    await this.#putRaw(tag, await this.#fetch(tagOf(ref)));
    this.#foreign.set(tag, await taggedDigest(registry.address, this.#repository, tag));
  }

  async run(step: Action): Promise<void> {
    if (step.kind === 'restart') return this.#restart();
    const ref = OBJECTS[step.object] as ObjectRef;
    const content = CONTENTS[step.content] as Buffer;
    const before = this.#model.get(step.object) ?? [undefined];
    if (step.kind === 'go-put') return this.#goPut(step.object, ref, content, before);
    this.#crashes(step.crash);
    const done =
      step.kind === 'put'
        ? this.#open.store.put(ref, bufferSource(content, 'x'))
        : this.#open.store.delete(ref);
    const after = step.kind === 'put' ? content : undefined;
    const failed = await done.then(
      () => undefined,
      (error: Error) => error,
    );
    if (failed && !step.crash) throw failed;
    this.#model.set(step.object, failed ? [...before, after] : [after]);
    if (failed) await this.#restart();
    this.#plan.trouble = undefined;
    if (step.kind === 'put' && !failed && content === CONTENTS[1]) await this.#tag(ref);
  }

  /** What the registry holds is what the model says, for this process and for one that knows nothing. */
  async check(): Promise<void> {
    const fresh = this.#process();
    for (const { store } of [this.#open, fresh]) {
      const listed = new Set<string>();
      for (const type of ['packfile', 'state', 'lock'] as const)
        for await (const mac of store.list(type)) listed.add(tagOf({ type, mac }));
      for (const [number, ref] of OBJECTS.entries()) {
        const possible = this.#model.get(number) ?? [undefined];
        const found = listed.has(tagOf(ref)) ? await collect((await store.get(ref)).stream) : undefined;
        if (!found) await expect(store.stat(ref)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
        expect(possible.some((one) => (one && found ? one.equals(found) : one === found))).toBe(true);
        this.#model.set(number, [found]);
      }
      for (const number of [100, 101, 102]) expect(listed.has(tagOf(refOf(number)))).toBe(true);
    }
    for (const [tag, digest] of this.#foreign)
      expect(await taggedDigest(registry.address, this.#repository, tag)).toBe(digest);
    await fresh.close();
  }

  async end(): Promise<void> {
    await this.#open.close();
  }

  #process(): OpenOciStore {
    return openOciStore(`oci://${registry.address}/${this.#repository}`, {
      ...{ retry: { ...FAST_RETRY, maxAttempts: 1 }, hasher: 'native', concurrency: 1 },
      allowSharedRepository: this.#shared,
    });
  }

  async #restart(): Promise<void> {
    this.#plan.trouble = undefined;
    await this.#open.close();
    this.#open = this.#process();
  }

  /** From some request on nothing gets through; that one may still take effect. */
  #crashes(crash: Crash): void {
    if (!crash) return;
    let requests = 0;
    this.#plan.trouble = () => {
      const number = requests++;
      if (number < crash.after) return undefined;
      return crash.lands && number === crash.after ? { kind: 'lose-response' } : { kind: 'reset' };
    };
  }

  /** As the Go connector does it: no annotations, so that equal payloads are one manifest; it knows no generations. */
  async #goPut(
    number: number,
    ref: ObjectRef,
    content: Buffer,
    before: readonly (Buffer | undefined)[],
  ): Promise<void> {
    const own = JSON.parse(await this.#fetch(tagOf(refOf(100 + CONTENTS.indexOf(content)))));
    const layers = own.layers.map(({ digest, mediaType }: { digest: string; mediaType: string }) => ({
      ...{ mediaType, digest, size: 0 },
    }));
    const config = { ...own.config, mediaType: 'application/vnd.oci.image.config.v1+json' };
    // It would write under a tombstone, which is its own business: docs/format.md says so.
    if (before.some((one) => one) || (await this.#status(tagOf(ref))) !== 404) return;
    if ((await this.#status(`tombstones-${tagOf(ref)}`)) !== 404) return;
    for (let generation = 1; generation < 9; generation++)
      if ((await this.#status(`tombstones-${tagOf(ref, generation)}`)) !== 404) return;
    await this.#putRaw(tagOf(ref), JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers }));
    this.#model.set(number, [content]);
    await this.#restart();
  }

  #url(tag: string): string {
    return `${registry.url}/v2/${this.#repository}/manifests/${tag}`;
  }

  async #fetch(tag: string): Promise<string> {
    return (await fetch(this.#url(tag), { headers: { Accept: MANIFEST } })).text();
  }

  async #status(tag: string): Promise<number> {
    const answer = await fetch(this.#url(tag), { headers: { Accept: MANIFEST } });
    await answer.arrayBuffer();
    return answer.status;
  }

  async #putRaw(tag: string, body: string): Promise<void> {
    const answer = await fetch(this.#url(tag), {
      method: 'PUT',
      body,
      headers: { 'content-type': MANIFEST },
    });
    if (answer.status !== 201) throw new Error(`${tag}: ${answer.status} ${await answer.text()}`);
  }
}

test('what is live stays, what is deleted goes, on whatever registry, through crashes', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      abilities,
      fc.boolean(),
      fc.boolean(),
      fc.array(action, { minLength: 1, maxLength: 14, size: 'max' }),
      async (can, shared, goFirst, steps) => {
        const life = new Life(can, number++, shared);
        await life.begin(goFirst);
        try {
          for (const step of steps) {
            await life.run(step);
            await life.check();
          }
        } finally {
          await life.end();
        }
      },
    ),
    { numRuns: Number(process.env.KLOSET_OCI_PROPERTY_RUNS ?? 40) },
  );
}, 240_000);
