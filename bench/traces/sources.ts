/** Where traces come from: a plakar whose reads are noted while one command runs. */

import { TraceWriter } from '../../src/store/reads/traceWriter.ts';
import { connectorPackage } from '../../test/support/connectors.ts';
import { openPlakar, type Plakar } from '../../test/support/plakar.ts';
import { startDockerRegistry } from '../../test/support/realRegistries.ts';
import { watchRegistryReads } from './registryReads.ts';

export interface TraceSource {
  readonly plakar: Plakar;
  /** The store for `plakar at`. */
  readonly location: string;
  /** Runs a command and appends what it reads to the file. */
  tracing(path: string, command: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** The Go connector, watched on its way to a registry. Its reads are slow, but which ones they are is the host's. */
export async function throughGoConnector(): Promise<TraceSource> {
  const registry = await startDockerRegistry();
  const watched = await watchRegistryReads(registry.address);
  const plakar = await openPlakar({ connector: connectorPackage('go') });
  return {
    plakar,
    location: `oci://${watched.address}/bench/traces`,
    tracing: async (path, command) => {
      const writer = new TraceWriter(path, performance.now());
      watched.record(writer);
      try {
        await command();
      } finally {
        watched.record(undefined);
        await writer.close();
      }
    },
    close: async () => {
      await plakar.close();
      await watched.close();
      await registry.stop();
    },
  };
}
