import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../store/openStore.ts';
import { ociStoreOptions, type StoreSettings, warningsAbout } from '../store/storeSettings.ts';
import { interruptSignal } from './interrupt.ts';
import { type Observation, observe } from './observe/observe.ts';
import { Output } from './output.ts';
import { type CommonFlags, storeSettings } from './storeOptions.ts';

/** What a command on a store works with. */
export interface Session extends OpenOciStore {
  readonly output: Output;
  readonly settings: StoreSettings;
  readonly observation: Observation;
  readonly signal: AbortSignal;
}

/**
 * Opens a store for the length of a command.
 *
 * @param more options beside those of the flags
 * @param graceMs how long it may take to end once it was interrupted
 */
export async function withSession(
  location: string,
  flags: CommonFlags,
  run: (session: Session) => Promise<void>,
  more: OciStoreOptions = {},
  graceMs?: number,
): Promise<void> {
  const settings = storeSettings(flags);
  const output = new Output(flags);
  for (const warning of warningsAbout(settings)) output.warn(warning);
  const observation = await observe(flags, output);
  const open = openOciStore(location, {
    ...ociStoreOptions(settings),
    onRemark: (text) => output.remark(text),
    ...more,
  });
  try {
    await run({ ...open, settings, observation, output, signal: interruptSignal(graceMs) });
  } finally {
    await open.close();
    observation.stop();
  }
}
