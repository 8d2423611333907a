import { type Exchange, repositoryUrl, sendForHead } from './exchange.ts';

/** Deletes a blob. `missing` when it was not there. @throws KlosetError where the registry does not do that */
export async function deleteBlob(
  exchange: Exchange,
  digest: string,
  signal?: AbortSignal,
): Promise<'gone' | 'missing'> {
  const url = repositoryUrl(exchange, `blobs/${digest}`);
  const request = { kind: 'blob-delete', method: 'DELETE', url, signal } as const;
  const answer = await sendForHead(exchange, request, [200, 202, 204, 404], { object: digest });
  return answer.status === 404 ? 'missing' : 'gone';
}
