import fs from 'node:fs';
import { codeOf } from '../kit/fault.ts';

/** The error that ended an output, such as `ENOSPC`, or `EPIPE` if the reader closed the pipe. */
export interface OutputError {
  readonly code: string;
}

/** Returns a message for standard output that cannot be written. */
export function describeLostOutput({ code }: OutputError): string {
  const why = reasons[code] ?? 'it cannot be written';
  return `Standard output is incomplete: ${why} (${code}).`;
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'its file has reached the size limit',
  EIO: 'its device does not answer',
};

/** A standard stream that never throws. After a failed write it drops everything that is written to it. */
export interface Output {
  write(text: string): boolean;
}

type StandardStream = NodeJS.WriteStream & { readonly fd: number };

/** Opens a standard stream for writing. Calls `onLost` once, when a write fails. */
export function openOutput(stream: StandardStream, onLost: (error: OutputError) => void): Output {
  // Bound now, because `write` is replaced while steps run, to redirect what they print.
  const write = stream.write.bind(stream);
  const isPlainFile = isFile(stream);
  let isLost = false;
  const lose = (error: unknown) => {
    if (isLost) return;
    isLost = true;
    onLost({ code: codeOf(error) ?? 'EIO' });
  };
  // The listener is never removed, because writes of steps may fail too, and no failure of this stream may end the process with a stack.
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

/** Writes all of a text. Node's stream for files ignores how much was written, so on a full disk the end of the text would be lost silently. */
function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += fs.writeSync(descriptor, bytes, written);
}

/** Returns whether a stream is a file or a device, which is written synchronously, and not a terminal, a pipe or a socket. */
function isFile({ fd, isTTY }: StandardStream): boolean {
  if (isTTY) return false;
  try {
    const stat = fs.fstatSync(fd);
    return stat.isFile() || stat.isCharacterDevice();
  } catch {
    return false;
  }
}
