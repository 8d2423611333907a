import { type OpenOciStore, openOciStore } from '../store/openStore.ts';
import { ociStoreOptions, type StoreSettings } from '../store/storeSettings.ts';
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

/** Opens a store for the length of a command. */
export async function withSession(
  location: string,
  flags: CommonFlags,
  run: (session: Session) => Promise<void>,
): Promise<void> {
  const settings = storeSettings(flags);
  const output = new Output(flags);
  const observation = await observe(flags, output);
  const onRemark = (text: string) => {
    output.note(text);
    output.event({ event: 'remark', text });
  };
  const open = openOciStore(location, { ...ociStoreOptions(settings), onRemark });
  try {
    await run({ ...open, settings, observation, output, signal: interruptSignal() });
  } finally {
    await open.close();
    observation.stop();
  }
}
