import { startRegistry } from '../../emulator/index.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output } from '../output.ts';
import type { RegistryAuthFlags } from '../registryAuth.ts';
import { profileOptions, type RegistryProfileFlags } from '../registryProfile.ts';
import type { CommonFlags } from '../storeOptions.ts';

/** `registry serve`: the embedded registry until it is interrupted. */
export async function registryServe(
  flags: CommonFlags &
    RegistryAuthFlags &
    RegistryProfileFlags & { port: number; host: string; dir?: string },
): Promise<void> {
  const output = new Output(flags);
  const signal = interruptSignal();
  const options = await profileOptions(flags);
  const registry = await startRegistry({
    host: flags.host,
    port: flags.port,
    ...(flags.dir !== undefined && { directory: flags.dir }),
    ...options,
  });
  const place = flags.dir ?? 'in memory: gone when it ends';
  output.line(`listening on ${registry.address}${flags.profile ? ` as ${flags.profile}` : ''} (${place})`);
  output.event({
    event: 'listening',
    address: registry.address,
    url: registry.url,
    ...(flags.profile && { profile: flags.profile }),
  });
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await registry.close();
}
