import fs from 'node:fs';
import path from 'node:path';
import { sha256Stream } from '../../kit/sha256.ts';

/** The size and hash of a file. */
export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

const pieceBytes = 1024 * 1024;

/** Hashes a file below a directory. Returns `missing` or `irregular` if it is not a regular file. A link is refused, because its target may change later. */
export function fileFacts(directory: string, file: string): FileFacts | 'missing' | 'irregular' {
  const whole = path.join(directory, file);
  const stat = fs.lstatSync(whole, { throwIfNoEntry: false });
  if (!stat) return 'missing';
  if (!stat.isFile()) return 'irregular';
  const descriptor = fs.openSync(whole, 'r');
  try {
    const buffer = Buffer.alloc(pieceBytes);
    const digest = sha256Stream();
    let bytes = 0;
    for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer)) {
      digest.update(buffer.subarray(0, read));
      bytes += read;
    }
    return { bytes, sha256: digest.digest('hex') };
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A hidden card, which `datasets` reads before README.md and whose `configs` replace those of README.md. */
const hiddenCard = /^\.huggingface\.ya?ml$/;

/**
 * Lists files in a directory that were not written by the export. A reader of the whole folder would take them as part of the dataset. Hidden files are
 * ignored, as readers do, except the hidden card.
 */
export function addedFiles(directory: string, written: readonly string[]): readonly string[] {
  const known = new Set(['README.md', 'distilog.json', ...written]);
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .filter((file) => !known.has(file) && (hiddenCard.test(file) || !file.split('/').some((part) => part.startsWith('.'))))
    .sort();
}
