import { KlosetError } from '../errors.ts';
import { isLoopback, parseReference } from '../registry/reference.ts';
import { confirm } from './confirm.ts';
import { type CommonFlags, storeSettings } from './storeOptions.ts';

/**
 * Asks before a host is loaded that is not this machine.
 *
 * @param cost what the load may take, for the question
 * @throws KlosetError LOCATION_INVALID, CANCELLED where the answer is no, USAGE where there is nobody to ask
 */
export async function agreeToLoad(
  location: string,
  flags: CommonFlags & { yes?: boolean },
  cost: string,
): Promise<void> {
  const { origin } = parseReference(location, { useTls: storeSettings(flags).useTls });
  const { hostname } = new URL(origin);
  if (flags.yes || isLoopback(hostname)) return;
  if (await confirm(`Load ${hostname} with ${cost}? Its operator may count them, or charge for them.`))
    return;
  throw new KlosetError('CANCELLED', 'nothing was sent');
}
