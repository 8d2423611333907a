import type { ByteSource } from '../engine/source.ts';
import type { MacList } from './macList.ts';
import type { ObjectRef, ObjectType } from './objectNames.ts';
import type {
  GetOptions,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  ObjectStore,
  OperationOptions,
  PutOptions,
  PutResult,
} from './objectStore.ts';

/** A store around another one, which it closes with itself; whoever extends it changes what it is there for. */
export abstract class ForwardingStore implements ObjectStore {
  readonly location: string;
  protected readonly inner: ObjectStore;

  constructor(inner: ObjectStore) {
    this.location = inner.location;
    this.inner = inner;
  }

  create(config: Uint8Array, options?: OperationOptions): Promise<void> {
    return this.inner.create(config, options);
  }

  open(options?: OperationOptions): Promise<Uint8Array> {
    return this.inner.open(options);
  }

  list(type: ObjectType, options?: OperationOptions): MacList {
    return this.inner.list(type, options);
  }

  stat(ref: ObjectRef, options?: OperationOptions): Promise<ObjectStat> {
    return this.inner.stat(ref, options);
  }

  put(ref: ObjectRef, source: ByteSource, options?: PutOptions): Promise<PutResult> {
    return this.inner.put(ref, source, options);
  }

  get(ref: ObjectRef, options?: GetOptions): Promise<ObjectContent> {
    return this.inner.get(ref, options);
  }

  delete(ref: ObjectRef, options?: OperationOptions): Promise<void> {
    return this.inner.delete(ref, options);
  }

  verify(ref: ObjectRef, options?: OperationOptions & { deep?: boolean }): Promise<ObjectFinding> {
    return this.inner.verify(ref, options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
