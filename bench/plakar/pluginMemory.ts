/** The peak memory of the plugins that plakar starts, read from the kernel while they run. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const KIB = 1024;
/** The kernel keeps the peak itself, so that only the last reading before the end counts. */
const EVERY_MS = 20;

export interface MemoryWatch {
  /** The largest peak RSS of any one plugin of this home folder since the start, in bytes. */
  stop(): Promise<number>;
}

/** Watches the processes whose program lies in the plugin folder of a plakar home. */
export function watchPluginMemory(home: string): MemoryWatch {
  let running = true;
  let peak = 0;
  const watched = (async () => {
    while (running) {
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        if (!commandLine.startsWith(`${home}/.cache/plakar/plugins/`)) continue;
        const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
        peak = Math.max(peak, Number(status.match(/^VmHWM:\s+(\d+) kB/m)?.[1] ?? 0) * KIB);
      }
      await delay(EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      running = false;
      await watched;
      return peak;
    },
  };
}
