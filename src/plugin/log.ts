/**
 * The plugin's lines to the user's terminal: stderr, since stdout carries the connection to the host. The one place
 * under `plugin/` that writes.
 */

// A host that was killed takes its terminal along; that must not be what ends the plugin.
process.stderr.on('error', () => {});

/** Writes one line. */
export function logLine(text: string): void {
  process.stderr.write(`kloset-oci: ${text}\n`);
}
