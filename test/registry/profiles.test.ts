import { describe, expect, it } from 'vitest';
import { profileOfAnswers } from '../../src/registry/profileDetection.ts';
import { PROFILE_NAMES } from '../../src/registry/profiles/names.ts';
import { PROFILES, profileOf } from '../../src/registry/profiles.ts';

/** Every `{ value, source }` below a value, with its path. */
function sourcedIn(value: unknown, path: string): { path: string; source: string; fact: unknown }[] {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return [];
  const { source, value: fact } = value as { source?: unknown; value?: unknown };
  if (typeof source === 'string') return [{ path, source, fact }];
  return Object.entries(value).flatMap(([key, child]) => sourcedIn(child, `${path}.${key}`));
}

describe('the profiles', () => {
  it('are those that can be named, in the same order', () => {
    expect(PROFILES.map(({ name }) => name)).toEqual([...PROFILE_NAMES]);
  });

  it('name a place and a year for every fact', () => {
    const facts = PROFILES.filter(({ name }) => name !== 'generic').flatMap((profile) =>
      sourcedIn(profile, profile.name).filter(({ path }) => !path.includes('.marks')),
    );
    expect(facts.length).toBeGreaterThan(100);
    for (const { path, source, fact } of facts) {
      expect(fact, path).toBeDefined();
      expect(source, path).toMatch(/\b20\d\d\b/);
      // An issue, a file at a version, a specification or a page.
      expect(source, path).toMatch(
        /#\d|issues? \d|\.(?:go|py|ts|md|yaml|jnj|html)\b|\w\.\w+\/|imagestore|endpoints/,
      );
    }
  });

  it.each([
    ['docker.io', 'dockerhub'],
    ['registry-1.docker.io', 'dockerhub'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'ecr'],
    ['123456789012.dkr.ecr-fips.us-east-1.amazonaws.com:443', 'ecr'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'ecr'],
    ['123456789012.dkr-ecr.eu-west-1.on.aws', 'ecr'],
    ['public.ecr.aws', 'ecr-public'],
    ['europe-docker.pkg.dev', 'gar'],
    ['us-central1-docker.pkg.dev', 'gar'],
    ['gcr.io', 'gar'],
    ['eu.gcr.io', 'gar'],
    ['me.azurecr.io', 'acr'],
    ['me.westeurope.azurecr.io', 'acr'],
    ['GHCR.io', 'ghcr'],
    ['containers.octo.ghe.com', 'ghcr'],
    ['quay.io', 'quay'],
    ['registry.gitlab.com', 'gitlab'],
    ['acme.jfrog.io', 'artifactory'],
    ['localhost:5000', 'generic'],
    ['harbor.example.com', 'generic'],
    ['ghcr.io.example.com', 'generic'],
    ['notghcr.io', 'generic'],
    ['evil-azurecr.io', 'generic'],
    ['docker.pkg.dev', 'generic'],
    ['12345.dkr.ecr.eu-west-1.amazonaws.com', 'generic'],
  ])('knows %s as %s', (host, name) => expect(profileOf(host).name).toBe(name));

  it('is the one that was asked for, whatever the host', () => {
    for (const name of PROFILE_NAMES) expect(profileOf('ghcr.io', name).name).toBe(name);
  });
});

describe('detection by answers', () => {
  const DISTRIBUTION = { 'docker-distribution-api-version': 'registry/2.0' };
  const STARTED = { ...DISTRIBUTION, location: 'http://h/v2/a/blobs/uploads/u?_state=x' };

  it.each([
    ['zot', [{ 'access-control-allow-headers': 'Authorization,content-type,X-ZOT-API-CLIENT' }]],
    ['harbor', [{ 'www-authenticate': 'Bearer realm="https://h/service/token",service="harbor-registry"' }]],
    ['harbor', [STARTED, { ...DISTRIBUTION, 'set-cookie': 'sid=1; Path=/' }]],
    [
      'gitlab',
      [{ 'www-authenticate': 'Bearer realm="https://git.example/jwt/auth",service="container_registry"' }],
    ],
    ['gitlab', [{ ...STARTED, 'gitlab-container-registry-version': '4.1.0-gitlab' }]],
    ['quay', [{ 'www-authenticate': 'Bearer realm="https://quay.example/v2/auth",service="quay.example"' }]],
    ['artifactory', [{ 'x-jfrog-version': 'Artifactory/7.90.1 79001900' }]],
    ['cloudflare', [{ 'oci-chunk-max-length': '100000000' }]],
    ['registry2', [{ ...DISTRIBUTION, 'content-type': 'application/json; charset=utf-8' }, STARTED]],
    ['registry3', [{ ...DISTRIBUTION, 'content-type': 'application/json' }, STARTED]],
  ])('%s', (name, answers) => expect(profileOfAnswers(answers)?.name).toBe(name));

  it.each([
    ['nothing', []],
    ['the header that many have', [{ ...DISTRIBUTION, 'content-type': 'application/json' }]],
    ['a session alone', [STARTED]],
    [
      'state without the header',
      [{ location: '/v2/a/blobs/uploads/u?_state=x', 'content-type': 'application/json' }],
    ],
    ['other realms', [{ 'www-authenticate': 'Bearer realm="https://auth.example/token",service="x"' }]],
  ])('says nothing to %s', (_, answers) => expect(profileOfAnswers(answers)).toBeUndefined());
});
