import type { SingleBar } from 'cli-progress';
import type { TransferEvent } from '../engine/events.ts';
import { formatBytes, formatRate, formatSeconds } from './format.ts';
import type { Output } from './output.ts';

/** Shows a transfer while it runs. */
export interface Progress {
  readonly onEvent: (event: TransferEvent) => void;
  stop(): void;
}

/** A live bar on a terminal, a line per object elsewhere, JSON lines with `--json`, nothing with `--quiet`. */
export async function startProgress(output: Output, verb: string, verbose: boolean): Promise<Progress> {
  if (output.mode === 'json') return { onEvent: (event) => jsonLine(output, event, verbose), stop: () => {} };
  if (output.mode === 'quiet') return { onEvent: () => {}, stop: () => {} };
  // Lines of requests would tear a bar apart.
  if (verbose || !process.stderr.isTTY)
    return { onEvent: (event) => textLine(output, verb, event, verbose), stop: () => {} };
  return liveBar(verb);
}

async function liveBar(verb: string): Promise<Progress> {
  const { default: cliProgress } = await import('cli-progress');
  const startedMs = performance.now();
  let announced = 0;
  let learned = 0;
  let done = 0;
  let objects = 0;
  let bar: SingleBar | undefined;
  const started = () => {
    bar ??= new cliProgress.SingleBar({
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      fps: 5,
      format: `${verb} {bar} {percentage}%  {text}`,
    });
    if (!bar.isActive) bar.start(Math.max(announced, 1), 0, { text: '' });
    return bar;
  };
  const show = () => {
    const total = announced + learned;
    const seconds = (performance.now() - startedMs) / 1000;
    const left = done > 0 && total > done ? ((total - done) / done) * seconds : 0;
    const text = `${formatBytes(done)} of ${formatBytes(total)}  ${formatRate(done, seconds)}  ${objects} objects  ETA ${formatSeconds(left)}`;
    const current = started();
    current.setTotal(Math.max(total, 1));
    current.update(Math.min(done, total), { text });
  };
  return {
    onEvent: (event) => {
      if (event.type === 'total') announced += event.bytes;
      // A store in a registry tells the sizes object by object.
      else if (event.type === 'object-start' && announced === 0) learned += event.bytes ?? 0;
      else if (event.type === 'bytes' || event.type === 'object-resumed') done += event.bytes;
      else if (event.type === 'object-done') {
        objects++;
        if (event.skipped || event.mounted) done += event.bytes;
      }
      show();
    },
    stop: () => bar?.stop(),
  };
}

function textLine(output: Output, verb: string, event: TransferEvent, verbose: boolean): void {
  if (event.type === 'object-done') {
    const how = event.skipped ? ' (there already)' : event.mounted ? ' (mounted)' : '';
    output.note(`${verb} ${event.name} ${formatBytes(event.bytes)}${how}`);
  } else if (event.type === 'object-resumed') {
    output.note(
      `continuing ${event.name} at ${formatBytes(event.bytes)}, where an earlier run was interrupted`,
    );
  } else if (event.type === 'retry' && !verbose) {
    // The verbose lines tell of it already, with the host.
    output.note(`retry ${event.name} in ${formatSeconds(event.delayMs / 1000)}: ${event.reason}`);
  }
}

function jsonLine(output: Output, event: TransferEvent, verbose: boolean): void {
  if (event.type === 'bytes' && !verbose) return;
  if (event.type === 'object-failed')
    output.event({ event: event.type, name: event.name, error: event.error.message });
  else {
    const { type, ...rest } = event;
    output.event({ event: type, ...rest });
  }
}
