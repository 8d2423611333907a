const PACKFILE_MIB = 20;
const PACKFILES_PER_GIB = Math.ceil(1024 / PACKFILE_MIB);

/** Requests of one packfile, by kind: the session, the bytes, the manifest. */
function requestsOf({ upload: { singlePost } }) {
  return singlePost?.value
    ? { 'upload-commit': 1, 'manifest-write': 1 }
    : { 'upload-start': 1, 'upload-commit': 1, 'manifest-write': 1 };
}

/** Sentences on what a backup costs, computed from the profile. */
export function costsOf(profile) {
  const requests = requestsOf(profile);
  const each = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const lines = [
    `- Requests: ${each} for each packfile of ${PACKFILE_MIB} MiB, which makes some ${each * PACKFILES_PER_GIB} per GiB, and one more per packfile where one has to be repeated or asked for.`,
    '- Storage: the size of the store; packfiles are compressed and, unless told otherwise, encrypted, so that the registry finds nothing more to share or to compress.',
  ];
  const [slowest] = profile.rates
    .map(({ value }) => {
      const perPackfile = value.kinds.reduce((sum, kind) => sum + (requests[kind] ?? 0), 0);
      return {
        value,
        packfiles: perPackfile === 0 ? Number.POSITIVE_INFINITY : value.perSecond / perPackfile,
      };
    })
    .sort((a, b) => a.packfiles - b.packfiles);
  if (slowest && Number.isFinite(slowest.packfiles)) {
    const { value, packfiles } = slowest;
    const perSecond = Math.round(packfiles * 10) / 10;
    lines.push(
      `- Speed: the cap on ${value.kinds.join(', ')} allows ${perSecond} packfiles a second, ${Math.round(packfiles * PACKFILE_MIB)} MiB/s.`,
    );
  }
  return lines;
}
