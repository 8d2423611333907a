/** Starts the registry that keeps nothing, so that it costs its client no memory and little processor time. */
import { fileURLToPath } from 'node:url';
import { start } from './processes.ts';

export interface NullRegistry {
  readonly address: string;
  stop(): Promise<void>;
}

export async function startNullRegistry(): Promise<NullRegistry> {
  const running = start(process.execPath, [fileURLToPath(new URL('nullRegistry.ts', import.meta.url))]);
  const [, address = ''] = await running.waitForLine(/^listening (\S+)$/);
  return {
    address,
    stop: async () => {
      await running.stop();
    },
  };
}
