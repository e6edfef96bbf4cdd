import fs from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import { codeOf, Fault, messageOf } from '../../kit/fault.ts';
import type { SourceFile } from './source-file.ts';

/** Number of bytes read at a time. */
const chunkBytes = 256 * 1024;

/** A file that is open for reading. Every read checks that its size and modification time are the same as when it was opened. */
export interface OpenFile {
  readonly file: SourceFile;
  readonly bytes: number;
  /** Size and modification time, to detect changes. */
  readonly stamp: string;
  /** Reads its bytes from `start` on, in order. */
  chunks(start: number, signal?: AbortSignal): AsyncGenerator<Buffer>;
  /** Reads exactly the bytes from `start` to `end`. */
  slice(start: number, end: number): Promise<ArrayBuffer>;
  close(): Promise<void>;
}

/** Opens a file. Throws `Fault('source-unreadable')`; its methods also `Fault('source-changed')`. */
export async function openFile(file: SourceFile): Promise<OpenFile> {
  // The type is checked before opening, because opening a pipe waits for its writer.
  const found = await fs.stat(file.full).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (found.isDirectory()) throw new Fault('source-unreadable', `${file.name} is a folder. Give the path of a file in it.`);
  if (!found.isFile())
    throw new Fault(
      'source-unreadable',
      `${file.name} is not a regular file, so it cannot be read twice. Write its content to a file first.`,
    );
  const handle = await fs.open(file.full, 'r').catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const atOpen = await handle.stat({ bigint: true });
  const bytes = Number(atOpen.size);
  const refuseChange = async (): Promise<void> => {
    const now = await handle.stat({ bigint: true });
    if (stampOf(now) === stampOf(atOpen)) return;
    const what = now.size === atOpen.size ? 'was written to' : `had ${atOpen.size} bytes and has ${now.size}`;
    throw new Fault(
      'source-changed',
      `${file.name} has changed while it was read: it ${what}. Restore the file and resume, or start a new run.`,
    );
  };
  /** Reads exactly `length` bytes. */
  const readAt = async (start: number, buffer: Uint8Array): Promise<void> => {
    for (let filled = 0; filled < buffer.byteLength; ) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.byteLength - filled, start + filled).catch((error: unknown) => {
        throw unreadable(file, error);
      });
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    await refuseChange();
  };
  return {
    file,
    bytes,
    stamp: stampOf(atOpen),
    async *chunks(start, signal) {
      for (let at = start; at < bytes; at += chunkBytes) {
        signal?.throwIfAborted();
        const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, bytes - at));
        await readAt(at, chunk);
        yield chunk;
      }
      await refuseChange();
    },
    slice: async (start, end) => {
      const slice = new Uint8Array(end - start);
      await readAt(start, slice);
      return slice.buffer;
    },
    close: () => handle.close(),
  };
}

const stampOf = ({ size, mtimeNs }: BigIntStats): string => `${size} ${mtimeNs}`;

function unreadable(file: SourceFile, error: unknown): Fault {
  const why = reasons[codeOf(error) ?? '']?.(file) ?? `${file.name} cannot be read: ${messageOf(error)}.`;
  return new Fault('source-unreadable', why, { cause: error });
}

const reasons: Readonly<Record<string, (file: SourceFile) => string>> = {
  ENOENT: ({ name, full }) =>
    `There is no file ${name}${name === full ? '' : ` (${full})`}. Check the path: it is relative to the folder where distilog runs.`,
  ENOTDIR: ({ name }) => `There is no file ${name}: a part of its path is a file. Check the path.`,
  EACCES: ({ name }) => `${name} cannot be read: this user lacks the permission. Change it with chmod, or run as another user.`,
  EISDIR: ({ name }) => `${name} is a folder. Give the path of a file in it.`,
  ENAMETOOLONG: ({ name }) => `${name} is too long for a path. Check it.`,
};
