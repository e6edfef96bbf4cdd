import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Gives a new folder to some work, and removes it when that is over. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-bench-'));
  try {
    return await work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
