/**
 * kloset-oci as a library: Kloset stores in OCI registries and in directories.
 *
 * @packageDocumentation
 */
export { bufferSource } from './engine/bufferSource.ts';
export type { EngineOptions } from './engine/coordinator.ts';
export type { TransferEvent } from './engine/events.ts';
export { fileSource } from './engine/fileSource.ts';
export type { ByteReader, ByteSource } from './engine/source.ts';
export { streamSource } from './engine/streamSource.ts';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, isKlosetError, KlosetError } from './errors.ts';
export type { GivenCredentials } from './registry/auth/givenCredentials.ts';
export {
  CHANNELS,
  type EventChannel,
  type ReceivedEvent,
  type RequestEvent,
  type RetryEvent,
  type WaitEvent,
} from './registry/events.ts';
export type { HttpOptions } from './registry/httpTransport.ts';
export type { UploadMode } from './registry/profiles.ts';
export type { RequestStats } from './registry/requestStats.ts';
export type { TlsOptions } from './registry/tls.ts';
export type { RequestKind } from './registry/transport.ts';
export { CachedStore, type CachedStoreOptions } from './store/cachedStore.ts';
export { DirectoryStore } from './store/directoryStore.ts';
export { LayoutStore, type LayoutStoreOptions } from './store/layoutStore.ts';
export { OBJECT_TYPES, type ObjectRef, type ObjectType, objectRef } from './store/objectNames.ts';
export type {
  ByteRange,
  ObjectContent,
  ObjectFinding,
  ObjectStat,
  ObjectStore,
  OperationOptions,
  PutReport,
  PutResult,
} from './store/objectStore.ts';
export { type OpenPlace, openPlace } from './store/openPlace.ts';
export { type OciStoreOptions, type OpenOciStore, openOciStore } from './store/openStore.ts';
export { planPush } from './store/pushItems.ts';
export { DEFAULT_CACHE_BYTES, DEFAULT_READ_POLICY, type ReadPolicy } from './store/reads/readPolicy.ts';
export type { ReadStats } from './store/reads/readStats.ts';
export {
  parseReadTraces,
  type ReadTrace,
  type TracedObject,
  type TracedRead,
} from './store/reads/readTrace.ts';
export type { DigestStore } from './store/storedSource.ts';
export { TracedStore, type TracedStoreOptions } from './store/tracedStore.ts';
export { copyAll, pullAll, pushAll, type TransferOptions, type TransferResult } from './store/transfer.ts';
export type { TransferItem, TransferSource } from './store/transferSource.ts';
export type { HasherChoice } from './workers/hasher.ts';
