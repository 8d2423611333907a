import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { isLoopback } from '../../registry/reference.ts';
import type { DoctorContext } from './context.ts';
import { said } from './context.ts';
import { type Finding, found, type Probe } from './finding.ts';

const TLS_TIMEOUT_MS = 5000;
const DAY_MS = 24 * 3_600_000;
const EXPIRES_SOON_DAYS = 14;
/** Tokens and signed addresses of storage are refused by clocks that differ by this much. */
const SKEW_LIMIT_S = 60;

export const reach: Probe = {
  name: 'reach',
  title: 'Reachable',
  async run(context) {
    const origin = new URL(context.exchange.reference.origin);
    const names = await addressesOf(origin.hostname);
    const reply = await context.ask({ kind: 'ping', method: 'GET', url: new URL('/v2/', origin) });
    context.ping = { reply, atMs: Date.now() - reply.tookMs / 2 };
    context.has.add('answer');
    return [found(this, 'ok', `${names}, answered in ${Math.round(reply.tookMs)} ms`, { essential: true })];
  },
};

/** A name that only a proxy can resolve is no failure yet: the request that follows tells. */
async function addressesOf(hostname: string): Promise<string> {
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare)) return bare;
  try {
    const addresses = await lookup(bare, { all: true });
    return `${bare} is ${addresses.map(({ address }) => address).join(', ')}`;
  } catch (error) {
    return `${bare} is unknown here (${(error as NodeJS.ErrnoException).code ?? 'DNS'})`;
  }
}

export const api: Probe = {
  name: 'api',
  title: 'OCI API',
  needs: 'answer',
  async run(context) {
    const { reply } = context.ping ?? {};
    if (!reply) return [];
    const version = reply.headers['docker-distribution-api-version'];
    const isRegistry = reply.status === 200 || (reply.status === 401 && 'www-authenticate' in reply.headers);
    const isPage = /text\/html/i.test(reply.headers['content-type'] ?? '');
    if (!isRegistry || (isPage && version === undefined)) {
      const what = isPage ? 'a web page' : said(reply);
      return [found(this, 'failed', `/v2/ is answered with ${what}: no OCI registry`, { essential: true })];
    }
    return [found(this, 'ok', version ?? `/v2/ is answered with ${reply.status}`, { essential: true })];
  },
};

export const tls: Probe = {
  name: 'tls',
  title: 'TLS',
  async run(context) {
    const origin = new URL(context.exchange.reference.origin);
    if (origin.protocol === 'http:') {
      const here = isLoopback(origin.hostname);
      const detail = here
        ? 'plain HTTP, inside this machine'
        : 'plain HTTP: everything can be read on the way';
      return [found(this, here ? 'ok' : 'limited', detail)];
    }
    return [judge(await handshake(origin), context.has.has('answer'))];
  },
};

interface Handshake {
  readonly protocol: string;
  readonly certificate: Pick<DetailedPeerCertificate, 'issuer' | 'valid_to'>;
  readonly untrusted: string | undefined;
}

/** @param accepted whether a request of the store's own went through, by an authority of its options or without a check */
function judge({ protocol, certificate, untrusted }: Handshake, accepted: boolean): Finding {
  const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / DAY_MS);
  const issuer = certificate.issuer.O ?? certificate.issuer.CN ?? 'an unnamed authority';
  const until = days < 0 ? `expired ${-days} days ago` : `valid for ${days} days`;
  const detail = `${protocol}, certificate of ${issuer}, ${until}${untrusted ? `; not trusted by this machine (${untrusted})` : ''}`;
  const doubtful = untrusted !== undefined && !accepted;
  return found(tls, days < EXPIRES_SOON_DAYS || doubtful ? 'limited' : 'ok', detail);
}

function handshake(origin: URL): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const host = origin.hostname.replace(/^\[|\]$/g, '');
    const socket = connect({
      host,
      port: Number(origin.port || 443),
      ...(isIP(host) ? {} : { servername: host }),
      // To look at a certificate is not to trust it: nothing is sent here.
      rejectUnauthorized: false,
    });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(TLS_TIMEOUT_MS, () => fail(new Error('no answer to a TLS handshake')));
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      const untrusted = socket.authorized ? undefined : String(socket.authorizationError);
      resolve({
        protocol: socket.getProtocol() ?? 'TLS',
        certificate: socket.getPeerCertificate(),
        untrusted,
      });
      socket.destroy();
    });
  });
}

export const clock: Probe = {
  name: 'clock',
  title: 'Clock',
  needs: 'answer',
  async run(context: DoctorContext) {
    const { reply, atMs } = context.ping ?? {};
    const dateMs = Date.parse(reply?.headers.date ?? '');
    if (atMs === undefined || Number.isNaN(dateMs)) return [found(this, 'skipped', 'no Date in its answers')];
    const skewS = Math.round((dateMs - atMs) / 1000);
    // The header counts whole seconds.
    if (Math.abs(skewS) <= 1) return [found(this, 'ok', 'the same time as here')];
    const way = skewS > 0 ? 'ahead of' : 'behind';
    const detail = `${Math.abs(skewS)} s ${way} this machine`;
    return [found(this, Math.abs(skewS) > SKEW_LIMIT_S ? 'limited' : 'ok', detail)];
  },
};

const SMALL_REQUESTS = 7;

export const roundTrip: Probe = {
  name: 'round-trip',
  title: 'Round trip',
  needs: 'answer',
  async run(context) {
    const times: number[] = [];
    for (let i = 0; i < SMALL_REQUESTS; i++) {
      const url = new URL('/v2/', context.exchange.reference.origin);
      times.push((await context.ask({ kind: 'ping', method: 'GET', url })).tookMs);
    }
    times.sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)] ?? 0;
    return [found(this, 'ok', `${median.toFixed(1)} ms, the median of ${SMALL_REQUESTS} small requests`)];
  },
};
