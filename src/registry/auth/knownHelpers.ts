const BUNDLED =
  'It comes with docker-credential-helpers (https://github.com/docker/docker-credential-helpers).';
const DESKTOP =
  'It comes with Docker Desktop; without it, remove "credsStore" from the file and log in again.';

const SOURCES: Readonly<Record<string, string>> = {
  'ecr-login':
    'It is the Amazon ECR Docker Credential Helper (https://github.com/awslabs/amazon-ecr-credential-helper), also packaged as amazon-ecr-credential-helper.',
  gcr: 'It is the helper of Google (https://github.com/GoogleCloudPlatform/docker-credential-gcr).',
  gcloud: 'It comes with the Google Cloud CLI (https://cloud.google.com/sdk/docs/install).',
  'acr-env':
    'It is the ACR credential helper (https://github.com/chrismellard/docker-credential-acr-env); "az acr login" works without it.',
  desktop: DESKTOP,
  osxkeychain: BUNDLED,
  secretservice: BUNDLED,
  pass: BUNDLED,
  wincred: BUNDLED,
};

/** Where a helper that is missing can be had, as sentences. */
export function whereToGet(name: string): string {
  const known = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined;
  return `${known ?? 'Install it, or remove it from the file.'} Programs of credential helpers have to be on PATH.`;
}
