import { BlockList, isIP } from 'node:net';
import { KlosetError } from '../errors.ts';

/** Where a store lives: one repository of one registry. */
export interface Reference {
  /** Scheme, host and port, for example `http://localhost:5000`. */
  readonly origin: string;
  /** Host and port as the user gave them, for messages. */
  readonly registry: string;
  readonly repository: string;
}

// The grammar of repository names in the distribution specification.
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?$/;
const MAX_NAME_LENGTH = 255;

/**
 * Parses `oci://HOST[:PORT]/REPOSITORY`. Loopback hosts are spoken to in plain HTTP, all others with TLS; `useTls`
 * overrides that.
 *
 * @throws KlosetError LOCATION_INVALID
 */
export function parseReference(text: string, options: { useTls?: boolean | undefined } = {}): Reference {
  const fail = (reason: string): never => {
    // What stands before an @ may be a password, and messages end up in logs.
    const shown = text.replace(/^([^/]*\/\/)?[^/]*@/, '$1***@');
    throw new KlosetError('LOCATION_INVALID', `"${shown}" is not a store location: ${reason}`, {
      remedy:
        'A location looks like oci://HOST[:PORT]/REPOSITORY, for example oci://localhost:5000/my-org/store.',
    });
  };
  if (!text.startsWith('oci://')) return fail('it does not start with oci://');
  const rest = text.slice('oci://'.length).replace(/\/+$/, '');
  const slash = rest.indexOf('/');
  const host = slash < 0 ? rest : rest.slice(0, slash);
  const repository = slash < 0 ? '' : rest.slice(slash + 1);
  if (host.includes('@')) return fail('credentials do not belong into a location');
  const port = HOST.exec(host)?.[1];
  if (!HOST.test(host)) return fail(host === '' ? 'the registry host is missing' : `"${host}" is no host`);
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return fail(`${port} is no port`);
  if (repository === '') return fail('the repository is missing');
  if (host.length + 1 + repository.length > MAX_NAME_LENGTH) {
    return fail(`host and repository are longer than ${MAX_NAME_LENGTH} characters`);
  }
  const bad = repository.split('/').find((component) => !COMPONENT.test(component));
  if (bad !== undefined) {
    return fail(
      `"${bad}" in the repository name is not allowed (lower-case letters, digits, and . _ - between them)`,
    );
  }
  const useTls = options.useTls ?? !isLoopback(hostname(host));
  const isHub = ['docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host.toLowerCase());
  return {
    // docker.io is a web site; its registry lives under another name and keeps short names under library/.
    origin: `${useTls ? 'https' : 'http'}://${isHub ? 'registry-1.docker.io' : host.toLowerCase()}`,
    registry: host,
    repository: isHub && !repository.includes('/') ? `library/${repository}` : repository,
  };
}

/** `host:port/repository`, for messages. */
export function describeReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** True for names and addresses of this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bare)
  );
}

/**
 * True for literal addresses that no public registry may send a client to: those of IANA's special-purpose registries
 * (RFC 6890) that lead to this machine or into a network of its own, in any spelling of IPv6 that has IPv4 inside.
 */
export function isPrivateAddress(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  const version = isIP(bare);
  if (isLoopback(bare)) return true;
  return version !== 0 && privateNetworks().check(bare, version === 4 ? 'ipv4' : 'ipv6');
}

let networks: BlockList | undefined;

function privateNetworks(): BlockList {
  if (networks) return networks;
  networks = new BlockList();
  const v4 = ['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'];
  for (const network of [...v4, '192.168.0.0/16']) {
    const [address = '', bits = ''] = network.split('/');
    networks.addSubnet(address, Number(bits), 'ipv4');
    // NAT64 (RFC 6052). Addresses mapped into IPv6 are found by the list itself.
    networks.addSubnet(`64:ff9b::${address}`, 96 + Number(bits), 'ipv6');
  }
  networks.addSubnet('::', 127, 'ipv6');
  networks.addSubnet('fc00::', 7, 'ipv6');
  networks.addSubnet('fe80::', 10, 'ipv6');
  return networks;
}

function hostname(host: string): string {
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d+$/, '');
}
