import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CHANNELS } from '../../registry/events.ts';

/** Figures of this process in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  stop(): void;
}

// From a request on loopback to the commit of a blob that a registry assembles for a minute.
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** Counts what the events tell, from now on. */
export function collectMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'kloset_oci_requests_total',
    help: 'Requests by kind and by the status of their answer, or the error in place of one.',
    labelNames: ['host', 'kind', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'kloset_oci_request_seconds',
    help: 'Time from a request to the head of its answer.',
    labelNames: ['host', 'kind'],
    buckets: SECONDS,
    registers,
  });
  const sent = bytesCounter('sent', 'Bytes of request bodies.');
  const received = bytesCounter('received', 'Bytes of the bodies of answers.');
  const retries = new Counter({
    name: 'kloset_oci_retries_total',
    help: 'Failures that were followed by another attempt, by the code of the error.',
    labelNames: ['host', 'code'],
    registers,
  });
  const waited = new Counter({
    name: 'kloset_oci_wait_seconds_total',
    help: 'Time that requests spent before they were sent, by reason.',
    labelNames: ['host', 'kind', 'reason'],
    registers,
  });
  new Gauge({
    name: 'kloset_oci_resident_bytes',
    help: 'Memory of this process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });

  function bytesCounter(what: string, help: string): Counter {
    return new Counter({
      name: `kloset_oci_${what}_bytes_total`,
      help,
      labelNames: ['host', 'kind'],
      registers,
    });
  }

  const ends = [
    CHANNELS.request.subscribe(({ host, kind, status, error, durationMs, sentBytes }) => {
      requests.inc({ host, kind, status: String(status ?? error) });
      durations.observe({ host, kind }, durationMs / 1000);
      if (sentBytes > 0) sent.inc({ host, kind }, sentBytes);
    }),
    CHANNELS.received.subscribe(({ host, kind, receivedBytes }) =>
      received.inc({ host, kind }, receivedBytes),
    ),
    CHANNELS.retry.subscribe(({ host, code }) => retries.inc({ host, code })),
    CHANNELS.wait.subscribe(({ host, kind, reason, waitedMs }) =>
      waited.inc({ host, kind, reason }, waitedMs / 1000),
    ),
  ];
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    stop: () => {
      for (const end of ends) end();
    },
  };
}
