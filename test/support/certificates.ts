/** An authority that nobody knows, and certificates of it, for servers and clients of a test. Needs `openssl`. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const DAY_MS = 86_400_000;

export interface Issued {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** Its certificate. */
  readonly caFile: string;
  issue(options?: {
    /** As in a subjectAltName; `127.0.0.1`, `localhost` and `registry.test` by default. */
    names?: string;
    /** From and to, in days from now. */
    days?: readonly [from: number, to: number];
  }): Promise<Issued>;
}

/** Makes an authority in a folder of its own. */
export async function makeAuthority(folder: string, name = 'Test authority'): Promise<Authority> {
  await mkdir(folder, { recursive: true });
  const [caFile, caKey, config] = ['ca.pem', 'ca.key', 'ca.cnf'].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ];
  await writeFile(join(folder, 'index.txt'), '');
  // `openssl ca` is the one command of OpenSSL 3.0 that takes dates instead of a number of days.
  await writeFile(
    config,
    `[ca]
default_ca = test
[test]
database = ${join(folder, 'index.txt')}
new_certs_dir = ${folder}
rand_serial = yes
unique_subject = no
copy_extensions = copy
default_md = sha256
policy = any
[any]
commonName = supplied
`,
  );
  const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign'];
  const subject = ['-subj', `/CN=${name}`, '-days', '2'];
  await run('openssl', [
    'req',
    '-x509',
    ...CURVE,
    ...subject,
    ...extensions,
    '-keyout',
    caKey,
    '-out',
    caFile,
  ]);
  let count = 0;
  return {
    caFile,
    issue: async ({
      names = 'IP:127.0.0.1,DNS:localhost,DNS:registry.test',
      days: [from, to] = [-1, 2],
    } = {}) => {
      const base = join(folder, `issued-${count++}`);
      const [certFile, keyFile, request] = [`${base}.pem`, `${base}.key`, `${base}.csr`];
      const asked = ['-subj', '/CN=issued', '-addext', `subjectAltName=${names}`];
      await run('openssl', ['req', ...CURVE, ...asked, '-keyout', keyFile, '-out', request]);
      const dates = ['-startdate', stamp(from), '-enddate', stamp(to)];
      const by = ['-config', config, '-batch', '-notext', '-cert', caFile, '-keyfile', caKey];
      await run('openssl', ['ca', ...by, ...dates, '-in', request, '-out', certFile]);
      const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
      return { certFile, keyFile, cert, key };
    },
  };
}

/** `YYMMDDHHMMSSZ`, days from now. */
function stamp(days: number): string {
  const iso = new Date(Date.now() + days * DAY_MS).toISOString();
  return `${iso.replace(/\D/g, '').slice(2, 14)}Z`;
}
