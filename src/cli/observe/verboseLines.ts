import { CHANNELS, type RequestEvent, type RetryEvent, type WaitEvent } from '../../registry/events.ts';
import { formatBytes, formatSeconds } from '../format.ts';
import type { Output } from '../output.ts';

/** Prints what goes to the registry and what comes back, a line each; JSON lines with `--json`. Returns its end. */
export function printVerbose(output: Output): () => void {
  const show = (event: string, text: string, details: object) => {
    if (output.mode === 'json') output.event({ event, ...details });
    else output.note(`${new Date().toISOString().slice(11, 23)} ${text}`);
  };
  const ends = [
    CHANNELS.request.subscribe((event) => show('request', requestLine(event), event)),
    CHANNELS.retry.subscribe((event) => show('registry-retry', retryLine(event), event)),
    CHANNELS.wait.subscribe((event) => show('wait', waitLine(event), event)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function requestLine({ method, host, path, status, error, durationMs, sentBytes }: RequestEvent): string {
  const body = sentBytes > 0 ? `, ${formatBytes(sentBytes)}` : '';
  return `${method} ${host}${path}: ${status ?? error} after ${durationMs.toFixed(0)} ms${body}`;
}

function retryLine({ host, reason, delayMs }: RetryEvent): string {
  return `${host}: ${reason}; again in ${formatSeconds(delayMs / 1000)}`;
}

function waitLine({ host, kind, reason, waitedMs }: WaitEvent): string {
  return `${host}: ${kind} waited ${formatSeconds(waitedMs / 1000)} (${reason})`;
}
