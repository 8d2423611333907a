import { startRegistry } from '../../emulator/index.ts';
import { KlosetError } from '../../errors.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output } from '../output.ts';
import type { RegistryAuthFlags } from '../registryAuth.ts';
import { profileOptions, type RegistryProfileFlags } from '../registryProfile.ts';
import type { CommonFlags } from '../storeOptions.ts';

interface ServeFlags extends CommonFlags, RegistryAuthFlags, RegistryProfileFlags {
  port: number;
  host: string;
  dir?: string;
  fault?: readonly string[];
  faultSeed?: string;
  control?: boolean;
}

/** `registry serve`: the embedded registry until it is interrupted. */
export async function registryServe(flags: ServeFlags): Promise<void> {
  const output = new Output(flags);
  const signal = interruptSignal();
  const options = await profileOptions(flags);
  const faults = await faultsOf(flags);
  const registry = await startRegistry({
    host: flags.host,
    port: flags.port,
    control: flags.control ?? false,
    ...(flags.dir !== undefined && { directory: flags.dir }),
    ...(faults && { faults }),
    ...options,
  });
  const place = flags.dir ?? 'in memory: gone when it ends';
  output.line(`listening on ${registry.address}${flags.profile ? ` as ${flags.profile}` : ''} (${place})`);
  for (const { spec } of faults?.counts() ?? []) output.line(`fault ${spec} (seed ${faults?.seed})`);
  output.event({
    event: 'listening',
    address: registry.address,
    url: registry.url,
    ...(flags.profile && { profile: flags.profile }),
  });
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await registry.close();
}

async function faultsOf({ fault, faultSeed }: ServeFlags) {
  const seed = Number(faultSeed ?? 1);
  if (!/^\d{1,10}$/.test(faultSeed ?? '1') || seed > 0xffffffff) {
    throw new KlosetError(
      'USAGE',
      `--fault-seed: expected a whole number up to 4294967295, got "${faultSeed}"`,
    );
  }
  if (fault === undefined) return undefined;
  const { parseFaults } = await import('../../emulator/faults/index.ts');
  return parseFaults(fault, { seed });
}
