import fs from 'node:fs';
import path from 'node:path';
import { readMetadata } from '../distiset/index.ts';
import { Fault } from '../kit/fault.ts';

/** A row of an exported distiset: its run, step and position, and its index among the step's rows, from 0. */
export interface ExportedRow {
  readonly runId: string;
  readonly step: string;
  readonly index: number;
  readonly position: number;
}

/** Returns the row that `FILE:N` names, or null if there is no such file. Throws `Fault('invalid-row')`. */
export function findExportedRow(asked: string): ExportedRow | null {
  const [, file, number] = /^(.+):(\d+)$/.exec(asked) ?? [];
  if (file === undefined || number === undefined || !fs.existsSync(file)) return null;
  const directory = findDistiset(path.resolve(file));
  if (directory === null)
    throw new Fault(
      'invalid-row',
      `${file} is not in a dataset that distilog exported: no folder above it has a distilog.json. Give a file of such a dataset.`,
    );
  const { run, asOf, configs } = readMetadata(directory);
  const relative = path.relative(directory, path.resolve(file)).split(path.sep).join('/');
  for (const { step, files } of configs) {
    const at = files.findIndex((each) => each.path === relative);
    const found = files[at];
    if (!found) continue;
    if (Number(number) >= found.rows)
      throw new Fault('invalid-row', `${file} has ${found.rows} rows, so the last is ${file}:${found.rows - 1}.`);
    const before = files.slice(0, at).reduce((sum, each) => sum + each.rows, 0);
    return { runId: run.id, step, index: before + Number(number), position: asOf.position };
  }
  throw new Fault(
    'invalid-row',
    `${file} is not one of the data files that ${path.join(directory, 'distilog.json')} lists. Give one of them.`,
  );
}

function findDistiset(file: string): string | null {
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    if (fs.existsSync(path.join(directory, 'distilog.json'))) return directory;
    if (directory === path.dirname(directory)) return null;
  }
}
