import { startChild } from '../prepared-child.ts';
import type { BenchServer } from '../server.ts';
import { eventData } from './event.ts';
import type { SubjectEntry } from './subjects.ts';

/** What a process that appends is told. */
export interface AppendTask {
  readonly subject: string;
  readonly url: string;
  readonly callers: number;
  /** In one call. */
  readonly events: number;
  /** Which of the processes it is, from 0. */
  readonly process: number;
  readonly data: string;
  /** Before what is measured. */
  readonly warmUpMs: number;
  readonly workMs: number;
}

/** What a process has appended: how fast, and how much in all, with what was not measured. */
export interface Appended {
  readonly perSecond: number;
  readonly acknowledged: number;
}

export interface AppendWork {
  readonly processes: number;
  /** In each of them. */
  readonly callers: number;
  readonly events: number;
  readonly warmUpMs: number;
  readonly workMs: number;
}

const program = new URL('append-child.ts', import.meta.url);

/** Lets processes append, into a new database, for some time. Returns how many events a second became durable, all processes together. */
export async function appendWith(
  server: BenchServer,
  { name: subject, countSql }: SubjectEntry,
  { processes, ...work }: AppendWork,
): Promise<number> {
  const database = await server.database(subject);
  try {
    const task: AppendTask = { ...work, subject, url: database.url, process: 0, data: eventData };
    // The first makes the tables.
    const children = [await startChild<Appended>(program, task)];
    const others = Array.from({ length: processes - 1 }, (_, n) => startChild<Appended>(program, { ...task, process: n + 1 }));
    children.push(...(await Promise.all(others)));
    const appended = await Promise.all(children.map((child) => child.go()));
    const acknowledged = appended.reduce((sum, each) => sum + each.acknowledged, 0);
    const { rows } = await database.sql(countSql);
    if (Number(rows[0].count) !== acknowledged) throw new Error(`${subject} has ${rows[0].count} of ${acknowledged} events`);
    return appended.reduce((sum, { perSecond }) => sum + perSecond, 0);
  } finally {
    await database.drop();
  }
}
