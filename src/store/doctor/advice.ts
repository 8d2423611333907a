import type { ProviderProfile } from '../../registry/profiles.ts';
import type { Finding } from './finding.ts';

/** What a user may want to set, or to know. */
export interface Advice {
  /** The option, where it is one. */
  readonly option?: { readonly name: string; readonly value: string };
  readonly reason: string;
}

/**
 * What follows from an examination.
 *
 * @param byHost whether the host's name tells the profile already
 */
export function adviceFrom(
  findings: readonly Finding[],
  profile: ProviderProfile,
  byHost: boolean,
): readonly Advice[] {
  const verdict = (name: string) => findings.find((finding) => finding.name === name)?.verdict;
  const facts = Object.assign({}, ...findings.map(({ facts }) => facts ?? {}));
  const advice: Advice[] = [];
  const set = (name: string, value: string, reason: string) =>
    advice.push({ option: { name, value }, reason });

  if (profile.name !== 'generic' && !byHost) {
    set('profile', profile.name, `its answers look like ${profile.title}, and its name does not say so`);
  }
  if (verdict('upload-whole') === 'failed' && verdict('upload-patch') === 'ok') {
    set('upload_mode', 'chunked', 'a whole body in a PUT is refused');
  }
  if (verdict('upload-chunks') === 'not possible') {
    set('upload_mode', 'monolithic', 'chunks are refused; `auto` finds out as well');
  }
  if (facts.chunkMaxBytes !== undefined) {
    set('chunk_size', bytesOption(facts.chunkMaxBytes), 'longer chunks are refused');
  }
  if (facts.bodyMaxBytes !== undefined) {
    advice.push({
      reason: `Bodies above ${bytesOption(facts.bodyMaxBytes)} are refused: raise the limit of the proxy, which makes backups faster.`,
    });
  }
  if (facts.tagDelete === false && facts.digestDelete === false) {
    advice.push({
      reason:
        'Nothing can be deleted through the registry: what plakar removes is hidden by tombstones, and its space stays taken.',
    });
  }
  if (facts.tagsMutable === false) {
    advice.push({
      reason: 'Tags are immutable: exempt those of locks (locks-*) from the rule, if the registry can.',
    });
  }
  if (verdict('clock') === 'limited') {
    advice.push({ reason: 'Set the clock of this machine: tokens are refused by clocks that differ.' });
  }
  return advice;
}

function bytesOption(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return Number.isInteger(mib) ? `${mib}MiB` : `${Math.floor(bytes / 1024)}KiB`;
}
