import { type OpenOciStore, openOciStore } from '../store/openStore.ts';
import { interruptSignal } from './interrupt.ts';
import { Output } from './output.ts';
import { type CommonFlags, storeOptions } from './storeOptions.ts';

/** What a command on a store works with. */
export interface Session extends OpenOciStore {
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Opens a store for the length of a command. */
export async function withSession(
  location: string,
  flags: CommonFlags,
  run: (session: Session) => Promise<void>,
): Promise<void> {
  const open = openOciStore(location, storeOptions(flags));
  try {
    await run({ ...open, output: new Output(flags), signal: interruptSignal() });
  } finally {
    await open.close();
  }
}
