import { startRegistry } from '../../emulator/index.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output } from '../output.ts';
import { type RegistryAuthFlags, registryAuth } from '../registryAuth.ts';
import type { CommonFlags } from '../storeOptions.ts';

/** `registry serve`: the embedded registry until it is interrupted. */
export async function registryServe(
  flags: CommonFlags & RegistryAuthFlags & { port: number; host: string; dir?: string },
): Promise<void> {
  const output = new Output(flags);
  const signal = interruptSignal();
  const auth = await registryAuth(flags);
  const registry = await startRegistry({
    host: flags.host,
    port: flags.port,
    ...(flags.dir !== undefined && { directory: flags.dir }),
    ...(auth && { auth }),
  });
  output.line(`listening on ${registry.address} (${flags.dir ?? 'in memory: gone when it ends'})`);
  output.event({ event: 'listening', address: registry.address, url: registry.url });
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await registry.close();
}
