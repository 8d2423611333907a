import { type Command, Option } from 'commander';
import type { UploadMode } from '../engine/hostMemory.ts';
import type { OciStoreOptions } from '../store/openStore.ts';
import type { HasherChoice } from '../workers/hasher.ts';
import { parseBoolean, parseBytes, parseCount } from './values.ts';

/** The flags that all commands share, as commander hands them over. */
export interface CommonFlags {
  concurrency?: number;
  chunkSize?: number;
  uploadMode?: UploadMode;
  hasher?: HasherChoice;
  memory?: number;
  useTls?: boolean;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
}

/** Adds the flags of commands that print. */
export function withOutputFlags(command: Command): Command {
  return command
    .option('--json', 'print one JSON object per line')
    .option('--quiet', 'print nothing but errors')
    .option('--verbose', 'print more, and the cause of errors');
}

/** Adds the flags of commands that talk to a registry. */
export function withStoreFlags(command: Command): Command {
  return withOutputFlags(command)
    .option('--concurrency <n>', 'objects under way at once (default: 16)', parseCount)
    .option(
      '--chunk-size <size>',
      'size of a chunk in chunked uploads (default: found out per registry)',
      parseBytes,
    )
    .addOption(
      new Option('--upload-mode <mode>', 'form of uploads')
        .choices(['auto', 'chunked', 'monolithic'])
        .default('auto'),
    )
    .addOption(
      new Option('--hasher <name>', 'SHA-256 to use').choices(['auto', 'wasm', 'native']).default('auto'),
    )
    .option('--memory <size>', 'bound of the memory above an idle process (default: 256MiB)', parseBytes)
    .option(
      '--use-tls <boolean>',
      'TLS or plain HTTP (default: plain HTTP for this machine, TLS for all others)',
      parseBoolean,
    );
}

/** The flags as options of a store. */
export function storeOptions(flags: CommonFlags): OciStoreOptions {
  return {
    concurrency: flags.concurrency,
    chunkBytes: flags.chunkSize,
    uploadMode: flags.uploadMode,
    hasher: flags.hasher,
    memoryBytes: flags.memory,
    useTls: flags.useTls,
  };
}
