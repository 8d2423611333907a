import { PROFILES, type ProviderProfile } from './profiles.ts';

type Headers = Readonly<Record<string, string>>;

/**
 * The profile that answers give away by their headers, or `undefined`. Names are lower-case.
 *
 * Registries that are built on distribution send its headers too, so that their own marks come first.
 */
export function profileOfAnswers(answers: readonly Headers[]): ProviderProfile | undefined {
  const marked = PROFILES.find(({ marks }) =>
    answers.some((headers) => marks.some(({ header, value }) => value.test(headers[header] ?? ''))),
  );
  return marked ?? distributionOf(answers);
}

/** The state of an upload in its Location is distribution's own; the charset of its errors went with version 3. */
function distributionOf(answers: readonly Headers[]): ProviderProfile | undefined {
  const branded = answers.filter((headers) => headers['docker-distribution-api-version'] !== undefined);
  if (!branded.some(({ location }) => /[?&]_state=/.test(location ?? ''))) return undefined;
  const json = branded
    .map((headers) => headers['content-type'] ?? '')
    .find((type) => type.startsWith('application/json'));
  if (json === undefined) return undefined;
  const name = json.includes('charset') ? 'registry2' : 'registry3';
  return PROFILES.find((profile) => profile.name === name);
}
