/**
 * How long an answer asks to wait, in milliseconds: `Retry-After` in seconds or as a date, or the Go duration that
 * GHCR writes into its message (`retry-after: 880.092µs`). `undefined` when it does not say, or says nonsense.
 */
export function retryAfterMs(
  header: string | undefined,
  message: string,
  nowMs = Date.now(),
): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  if (value !== '') {
    const date = Date.parse(value);
    if (!Number.isNaN(date)) return Math.max(0, date - nowMs);
  }
  const inMessage = /retry-after:\s*([\d.]+)(ns|µs|us|ms|s|m|h)/i.exec(message);
  if (!inMessage) return undefined;
  const perUnit: Record<string, number> = {
    ns: 1e-6,
    µs: 1e-3,
    us: 1e-3,
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
  };
  const ms = Number(inMessage[1]) * (perUnit[(inMessage[2] ?? '').toLowerCase()] ?? Number.NaN);
  return Number.isFinite(ms) ? ms : undefined;
}
