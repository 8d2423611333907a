/** In what order things stand in all charts and tables. */
const ORDER: readonly string[] = [
  ...['push', 'pull', 'put', 'get', 'delete', 'list', 'backup', 'restore', 'check', 'maintenance'],
  ...['embedded', 'docker-registry', 'distribution3', 'zot'],
  ...['ours', 'directory', 'oras', 'crane', 'regctl', 'skopeo', 'restic, rclone', 'go', 'bare'],
];

/** The names once each: known ones in their order, then the others as they came. */
export function orderOf(names: readonly string[]): string[] {
  const all = [...new Set(names)];
  return [
    ...all.filter((name) => ORDER.includes(name)).sort(byOrder),
    ...all.filter((name) => !ORDER.includes(name)),
  ];
}

const byOrder = (a: string, b: string) => ORDER.indexOf(a) - ORDER.indexOf(b);
