/** Real registries as people run them: with TLS of an own authority, with passwords, with tokens, behind nginx. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, type Issued, makeAuthority } from './certificates.ts';
import { startNginx } from './nginx.ts';
import { peer } from './peers.ts';
import { launch, type RealRegistry, type RegistryOptions } from './realRegistries.ts';
import { startTokenService, type TokenService } from './tokenService.ts';

/** An account that may do everything, and one that may only read. */
export const ACCOUNTS = {
  backup: { password: 'correct horse, staple', actions: ['pull', 'push', 'delete'] },
  reader: { password: 'look, do not touch', actions: ['pull'] },
} as const;

// bcrypt of those passwords, with cost 5: checked for each request.
const HTPASSWD = `backup:$2y$05$kLosetOciTestsOnlyAbcOGNmuGe3SuYX72zbiyaBXsOpIs4nNu16
reader:$2y$05$kLosetOciTestsOnlyAbcOYY3Vm5dNuRVEYHTzqdW0JTuTsbLFQb2
`;

export interface SecuredRegistry extends RealRegistry {
  /** How kloset-oci is told who it is. */
  readonly env: Readonly<Record<string, string>>;
  /** Options of a store there, by the names of a Plakar configuration. */
  readonly options: Readonly<Record<string, string>>;
  /** The same options as flags of the command line. */
  readonly flags: readonly string[];
  /** The service that gives out its tokens, where it has one. */
  readonly tokens?: TokenService;
  location(repository: string): string;
}

export interface SecuredOptions extends RegistryOptions {
  /** How long a token lives, where there are tokens. @default 300 */
  readonly tokenLifeSeconds?: number;
}

export interface SecuredEntry {
  readonly start: (options?: SecuredOptions) => Promise<SecuredRegistry>;
  readonly peers: readonly string[];
  /** Whether it asks who we are. */
  readonly login: boolean;
  /** Whether it deletes at all. */
  readonly deletes: boolean;
}

const AS_BACKUP = { KLOSET_OCI_USERNAME: 'backup', KLOSET_OCI_PASSWORD: ACCOUNTS.backup.password };

interface Security {
  readonly authority: Authority;
  readonly issued: Issued;
  readonly htpasswd: string;
}

/** Files that go with the registry's folder when it stops. */
async function secure(folder: string): Promise<Security> {
  const authority = await makeAuthority(join(folder, 'ca'));
  const htpasswd = join(folder, 'htpasswd');
  await writeFile(htpasswd, HTPASSWD);
  return { authority, issued: await authority.issue(), htpasswd };
}

interface Distribution {
  readonly port: number;
  readonly deletes?: boolean;
  readonly tls?: Issued;
  /** Whose clients may connect at all. */
  readonly clientsOf?: Authority;
  /** The lines below `auth:`. */
  readonly auth?: string;
}

async function distributionConfig(folder: string, wanted: Distribution): Promise<string> {
  const { port, deletes = true, tls, clientsOf, auth } = wanted;
  const path = join(folder, 'config.yml');
  const lines = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    'storage:',
    `  filesystem: { rootdirectory: ${join(folder, 'storage')} }`,
    // Without the line it is off, as in the image registry:2.
    ...(deletes ? ['  delete: { enabled: true }'] : []),
    'http:',
    `  addr: "127.0.0.1:${port}"`,
    ...(tls ? ['  tls:', `    certificate: ${tls.certFile}`, `    key: ${tls.keyFile}`] : []),
    ...(clientsOf ? [`    clientcas: [${clientsOf.caFile}]`] : []),
    ...(auth ? ['auth:', auth] : []),
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

function describeSecured(registry: RealRegistry, more: Partial<SecuredRegistry> = {}): SecuredRegistry {
  const { options = {}, env = {} } = more;
  const { address, name, folder } = registry;
  return {
    name,
    address,
    folder,
    get pid() {
      return registry.pid;
    },
    halt: registry.halt,
    restart: registry.restart,
    stop: registry.stop,
    ...more,
    env,
    options,
    flags: Object.entries(options).flatMap(([option, value]) => [`--${option.replaceAll('_', '-')}`, value]),
    location: (repository) => `oci://${more.address ?? address}/${repository}`,
  };
}

/** Distribution with TLS and passwords. */
async function startWithPasswords(program: string, options: SecuredOptions): Promise<SecuredRegistry> {
  let caFile = '';
  const registry = await launch(`${program}-htpasswd`, options, async (folder, port) => {
    const { authority, issued, htpasswd } = await secure(folder);
    caFile = authority.caFile;
    const auth = `  htpasswd: { realm: backups, path: ${htpasswd} }`;
    return [peer(program), ['serve', await distributionConfig(folder, { port, tls: issued, auth })]];
  });
  return describeSecured(registry, { env: AS_BACKUP, options: { use_tls: 'true', tls_ca_file: caFile } });
}

async function startWithTokens(program: string, options: SecuredOptions): Promise<SecuredRegistry> {
  const { tokenLifeSeconds: lifeSeconds } = options;
  let tokens: TokenService | undefined;
  try {
    const registry = await launch(`${program}-token`, options, async (folder, port) => {
      const { authority, issued: signer } = await secure(folder);
      tokens = await startTokenService({
        signer,
        accounts: ACCOUNTS,
        ...(lifeSeconds !== undefined && { lifeSeconds }),
      });
      const { realm, service, issuer } = tokens;
      const auth = `  token: { realm: "${realm}", service: ${service}, issuer: ${issuer}, rootcertbundle: ${authority.caFile} }`;
      return [peer(program), ['serve', await distributionConfig(folder, { port, auth })]];
    });
    const service = tokens as TokenService;
    return describeSecured(registry, {
      env: AS_BACKUP,
      tokens: service,
      stop: async () => {
        await registry.stop();
        await service.close();
      },
    });
  } catch (error) {
    await tokens?.close();
    throw error;
  }
}

async function startZotWithPasswords(options: SecuredOptions = {}): Promise<SecuredRegistry> {
  let caFile = '';
  const registry = await launch('zot-htpasswd', options, async (folder, port) => {
    const { authority, issued, htpasswd } = await secure(folder);
    caFile = authority.caFile;
    const config = {
      distSpecVersion: '1.1.1',
      storage: { rootDirectory: join(folder, 'storage') },
      http: {
        address: '127.0.0.1',
        port: String(port),
        tls: { cert: issued.certFile, key: issued.keyFile },
        auth: { htpasswd: { path: htpasswd } },
        accessControl: {
          repositories: {
            '**': {
              policies: [
                { users: ['backup'], actions: ['read', 'create', 'update', 'delete'] },
                { users: ['reader'], actions: ['read'] },
              ],
            },
          },
        },
      },
      log: { level: 'error', output: join(folder, 'zot.log') },
    };
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify(config));
    return [peer('zot'), ['serve', path]];
  });
  return describeSecured(registry, { env: AS_BACKUP, options: { use_tls: 'true', tls_ca_file: caFile } });
}

async function startWithClientCertificates(options: SecuredOptions = {}): Promise<SecuredRegistry> {
  let files: Record<string, string> = {};
  const registry = await launch('docker-registry-mtls', options, async (folder, port) => {
    const { authority: clientsOf, issued: tls } = await secure(folder);
    const { certFile, keyFile } = await clientsOf.issue({ names: 'DNS:client' });
    files = { tls_ca_file: clientsOf.caFile, tls_cert_file: certFile, tls_key_file: keyFile };
    return [peer('docker-registry'), ['serve', await distributionConfig(folder, { port, tls, clientsOf })]];
  });
  return describeSecured(registry, { options: { use_tls: 'true', ...files } });
}

async function startWithoutDeletion(options: SecuredOptions = {}): Promise<SecuredRegistry> {
  const registry = await launch('registry2-nodelete', options, async (folder, port) => [
    peer('docker-registry'),
    ['serve', await distributionConfig(folder, { port, deletes: false })],
  ]);
  return describeSecured(registry);
}

async function startBehindNginx(options: SecuredOptions = {}): Promise<SecuredRegistry> {
  const registry = await launch('docker-registry-nginx', options, async (folder, port) => [
    peer('docker-registry'),
    ['serve', await distributionConfig(folder, { port })],
  ]);
  try {
    const home = join(registry.folder, '..', 'nginx');
    await mkdir(home, { recursive: true });
    const nginx = await startNginx(home, registry.address, '8m');
    return describeSecured(registry, {
      address: nginx.address,
      stop: async () => {
        await nginx.stop();
        await registry.stop();
      },
    });
  } catch (error) {
    await registry.stop();
    throw error;
  }
}

/** Each of them by name, with the programs that it needs. */
export const SECURED_REGISTRIES = {
  'docker-registry, htpasswd, TLS': {
    start: (options = {}) => startWithPasswords('docker-registry', options),
    peers: ['docker-registry'],
    login: true,
    deletes: true,
  },
  'docker-registry, client certificates': {
    start: startWithClientCertificates,
    peers: ['docker-registry'],
    login: false,
    deletes: true,
  },
  'docker-registry, tokens': {
    start: (options = {}) => startWithTokens('docker-registry', options),
    peers: ['docker-registry'],
    login: true,
    deletes: true,
  },
  'zot, htpasswd, TLS': { start: startZotWithPasswords, peers: ['zot'], login: true, deletes: true },
  'registry:2 without deletion': {
    start: startWithoutDeletion,
    peers: ['docker-registry'],
    login: false,
    deletes: false,
  },
  'distribution 3, htpasswd, TLS': {
    start: (options = {}) => startWithPasswords('registry3', options),
    peers: ['registry3'],
    login: true,
    deletes: true,
  },
  'distribution 3, tokens': {
    start: (options = {}) => startWithTokens('registry3', options),
    peers: ['registry3'],
    login: true,
    deletes: true,
  },
  'docker-registry behind nginx (8m)': {
    start: startBehindNginx,
    peers: ['docker-registry', 'nginx'],
    login: false,
    deletes: true,
  },
} as const satisfies Record<string, SecuredEntry>;

export type SecuredName = keyof typeof SECURED_REGISTRIES;
