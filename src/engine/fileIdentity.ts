import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

/** What tells a file and its content from others. Numbers of 64 bits are decimal text: they do not fit into a double. */
export interface FileIdentity {
  /** Absolute. */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly bytes: number;
  /** Time of the last change of the content, in nanoseconds. */
  readonly mtimeNs: string;
}

/** The identity of a file as it is now. @throws errors of the file system */
export async function identityOf(path: string): Promise<FileIdentity> {
  return identityFrom(path, await stat(path, { bigint: true }));
}

export function identityFrom(path: string, stats: BigIntStats): FileIdentity {
  return {
    path: resolve(path),
    device: String(stats.dev),
    inode: String(stats.ino),
    bytes: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
  };
}

export function sameFile(one: FileIdentity, other: FileIdentity): boolean {
  const { path, device, inode, bytes, mtimeNs } = one;
  return (
    path === other.path &&
    device === other.device &&
    inode === other.inode &&
    bytes === other.bytes &&
    mtimeNs === other.mtimeNs
  );
}
