import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import type { SourceStep, Columns } from '../../../src/pipeline/index.ts';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

/** Creates a folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-steps-'));
  folders.push(folder);
  return folder;
}

let count = 0;

/** A file of a test's own. */
export function fileOf(content: string | Uint8Array, ending = 'txt'): string {
  const file = path.join(temporaryFolder(), `file-${count++}.${ending}`);
  fs.writeFileSync(file, content);
  return file;
}

/** Reads a source from an item on: its rows, or the messages of errors in their places. */
export async function itemsOf<S extends Columns>(source: SourceStep<S>, offset = 0): Promise<readonly unknown[]> {
  const { signal } = new AbortController();
  const log = { info: () => undefined, warn: () => undefined };
  const use = () => Promise.reject(new Error('nothing is used'));
  const items = await source.read?.({ offset, signal, log, use });
  const all: unknown[] = [];
  for await (const item of items ?? [])
    all.push(item instanceof Error ? `${(item as Error & { code: string }).code}: ${nameless(item.message)}` : item);
  return all;
}

/** Returns the code and the message with which a source is refused. */
export async function refusalOf<S extends Columns>(source: SourceStep<S>): Promise<string> {
  try {
    await itemsOf(source);
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    return `${code}: ${nameless(message)}`;
  }
  throw new Error('it was read');
}

/** A message without the folder of its file and the file's number. */
const nameless = (message: string): string => message.replaceAll(/\S*file-\d+/g, 'file');
