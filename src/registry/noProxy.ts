import { BlockList, isIP } from 'node:net';

/**
 * Whether the list of `NO_PROXY` exempts a host, by the rules of Go's `golang.org/x/net/http/httpproxy` (2024), which
 * most programs around registries follow: entries are separated by commas or spaces, and are `*` (all), a name (itself
 * and what is below it), `.name` or `*.name` (only what is below it), an address, or a network in CIDR form; all but
 * `*` and networks may carry `:port`. An entry that is none of these matches nothing.
 *
 * @param hostname as in a URL, so that an IPv6 address has brackets
 */
export function isExempt(hostname: string, port: number, list: string): boolean {
  const host = bare(hostname);
  return list
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(host, entry);
  const { name, port: wanted } = split(entry);
  if (wanted !== undefined && wanted !== port) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && isSameAddress(name, host);
  if (isIP(host) !== 0) return false;
  const below = name.startsWith('*.') ? name.slice(1) : name;
  if (below.startsWith('.')) return below.length > 1 && host.endsWith(below);
  return below !== '' && (host === below || host.endsWith(`.${below}`));
}

/** `name:port`, `[v6]:port`; a bare IPv6 address has colons of its own. */
function split(entry: string): { name: string; port: number | undefined } {
  if (isIP(entry) !== 0) return { name: entry, port: undefined };
  const match = /^(.*?)(?::(\d{1,5}))?$/.exec(entry);
  return { name: bare(match?.[1] ?? ''), port: match?.[2] === undefined ? undefined : Number(match[2]) };
}

function bare(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}

function isInNetwork(host: string, cidr: string): boolean {
  const [network = '', bits = '', ...rest] = cidr.split('/');
  const version = isIP(network);
  if (version === 0 || isIP(host) === 0 || rest.length > 0) return false;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

function isSameAddress(a: string, b: string): boolean {
  const list = new BlockList();
  list.addAddress(a, isIP(a) === 4 ? 'ipv4' : 'ipv6');
  return list.check(b, isIP(b) === 4 ? 'ipv4' : 'ipv6');
}
