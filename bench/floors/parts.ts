/** The parts, by the names that runPart.ts takes. */
export const PARTS = {
  hashNative: 'SHA-256 by OpenSSL, one thread',
  hashWasm: 'SHA-256 by hash-wasm, one thread',
  readFile: 'reading a file that is in the page cache, 256 KiB at a time',
  writeFile: 'writing a file into the page cache, 256 KiB at a time',
  socketOut: 'sending over loopback, 512 KiB at a time',
  socketIn: 'receiving over loopback into memory that is used again',
  ownClientIn: 'the same as bodies of HTTP, by our client',
  undiciIn: 'the same as bodies of HTTP, by undici',
} as const;

export type PartName = keyof typeof PARTS;
