/** Where traces come from: a plakar whose reads are noted while one command runs. */
import { TraceWriter } from '../../src/store/reads/traceWriter.ts';
import { peer } from '../../test/support/peers.ts';
import { startDockerRegistry } from '../../test/support/realRegistries.ts';
import { openHost } from './host.ts';
import { watchRegistryReads } from './registryReads.ts';

export interface TraceSource {
  /** Runs a plakar command on the store. */
  run(...args: string[]): Promise<string>;
  /** The same, appending what it reads to a file. */
  trace(path: string, ...args: string[]): Promise<void>;
  close(): Promise<void>;
}

const REPOSITORY = 'bench/traces';

/** The plugin of this project, which traces itself. */
export async function throughPlugin(packageFile: string): Promise<TraceSource> {
  const registry = await startDockerRegistry();
  const host = await openHost(packageFile);
  const store = `oci://${registry.address}/${REPOSITORY}`;
  return {
    run: async (...args) => (await host.at(store, args)).stdout,
    trace: async (path, ...args) => {
      await host.at(store, args, { KLOSET_OCI_TRACE: path });
    },
    close: async () => {
      await host.close();
      await registry.stop();
    },
  };
}

/**
 * The Go connector, watched on its way to the registry. It takes two requests for each read, so that reads and the
 * time between them are long; which reads they are is the host's doing and the same.
 */
export async function throughGoConnector(): Promise<TraceSource> {
  const registry = await startDockerRegistry();
  const watched = await watchRegistryReads(registry.address);
  const host = await openHost(peer('go-connector'));
  const store = `oci://${watched.address}/${REPOSITORY}`;
  return {
    run: async (...args) => (await host.at(store, args)).stdout,
    trace: async (path, ...args) => {
      const writer = new TraceWriter(path, performance.now());
      watched.record(writer);
      try {
        await host.at(store, args);
      } finally {
        watched.record(undefined);
        await writer.close();
      }
    },
    close: async () => {
      await host.close();
      await watched.close();
      await registry.stop();
    },
  };
}
