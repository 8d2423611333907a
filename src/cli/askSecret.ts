import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { KlosetError } from '../errors.ts';

/** Asks for a line on the terminal, and shows what is typed. @throws KlosetError USAGE, CANCELLED */
export function askLine(question: string, instead: string): Promise<string> {
  return ask(question, instead, process.stderr);
}

/** Asks for a line on the terminal without showing what is typed. @throws KlosetError USAGE, CANCELLED */
export async function askSecret(question: string, instead: string): Promise<string> {
  // Readline shows what is typed on its output, which leads nowhere here.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = ask('', instead, nowhere);
  if (process.stdin.isTTY) process.stderr.write(question);
  try {
    return await answer;
  } finally {
    if (process.stdin.isTTY) process.stderr.write('\n');
  }
}

/** All of stdin, without the line end that `echo` puts behind it. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

async function ask(question: string, instead: string, output: NodeJS.WritableStream): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new KlosetError('USAGE', 'there is no terminal to ask on', { remedy: instead });
  }
  const reader: Interface = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      const cancel = () => reject(new KlosetError('CANCELLED', 'interrupted'));
      // In raw mode Ctrl-C is a key, and Ctrl-D the end.
      reader.once('SIGINT', cancel);
      reader.once('close', cancel);
      reader.question(question, resolve);
    });
  } finally {
    reader.close();
  }
}
