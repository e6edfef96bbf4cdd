import fs from 'node:fs';
import { codeOf } from '../kit/fault.ts';

/** What ended an output, such as `ENOSPC`; `EPIPE` where the reader left. */
export interface OutputError {
  readonly code: string;
}

/** Returns a sentence for standard output that cannot be written. */
export function lostOutput({ code }: OutputError): string {
  const why = reasons[code] ?? 'it cannot be written';
  return `Standard output is incomplete: ${why} (${code}).`;
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left where it goes',
  EDQUOT: 'the disk quota is used up where it goes',
  EFBIG: 'the file that it goes to may not become larger',
  EIO: 'the device that it goes to does not answer',
};

/** A standard stream that never throws: once it cannot be written, what is written to it is dropped. */
export interface Output {
  write(text: string): boolean;
}

type StandardStream = NodeJS.WriteStream & { readonly fd: number };

/** Opens a standard stream for writing. Calls `onLost` once, when a write fails. */
export function openOutput(stream: StandardStream, onLost: (error: OutputError) => void): Output {
  // Taken now: what steps print is sent elsewhere by replacing it.
  const write = stream.write.bind(stream);
  const isPlainFile = isFile(stream);
  let isLost = false;
  const lose = (error: unknown) => {
    if (isLost) return;
    isLost = true;
    onLost({ code: codeOf(error) ?? 'EIO' });
  };
  // Stays for as long as the process: what steps print may fail too, and no failure of this stream may end the process with a stack.
  stream.on('error', lose);
  return {
    write: (text) => {
      if (isLost || text === '') return true;
      if (!isPlainFile) return write(text);
      try {
        writeWhole(stream.fd, text);
      } catch (error) {
        lose(error);
      }
      return true;
    },
  };
}

/** Writes all of a text. Node's stream for files does not look how much was written: where a disk becomes full, the end would be lost without a word. */
function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += fs.writeSync(descriptor, bytes, written);
}

/** Whether a stream is a file or a device, which are written at once; not a terminal, a pipe or a socket. */
function isFile({ fd, isTTY }: StandardStream): boolean {
  if (isTTY) return false;
  try {
    const stat = fs.fstatSync(fd);
    return stat.isFile() || stat.isCharacterDevice();
  } catch {
    return false;
  }
}
