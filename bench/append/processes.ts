import { startChild } from '../prepared-child.ts';
import type { BenchServer } from '../server.ts';
import { eventData } from './event.ts';
import type { SubjectEntry } from './subjects.ts';

/** The task of a process that appends. */
export interface AppendTask {
  readonly subject: string;
  readonly url: string;
  readonly callers: number;
  /** Events in one call. */
  readonly events: number;
  /** Number of the process, from 0. */
  readonly process: number;
  readonly data: string;
  /** Duration of the warm-up, which is not measured. */
  readonly warmUpMs: number;
  readonly workMs: number;
}

/** Result of a process: events per second while measured, and acknowledged events in total, warm-up included. */
export interface Appended {
  readonly perSecond: number;
  readonly acknowledged: number;
}

export interface AppendWork {
  readonly processes: number;
  /** Callers in each process. */
  readonly callers: number;
  readonly events: number;
  readonly warmUpMs: number;
  readonly workMs: number;
}

const program = new URL('append-child.ts', import.meta.url);

/** Lets processes append to a new database for some time. Returns the durable events per second of all processes together. */
export async function appendWith(
  server: BenchServer,
  { name: subject, countSql }: SubjectEntry,
  { processes, ...work }: AppendWork,
): Promise<number> {
  const database = await server.database(subject);
  try {
    const task: AppendTask = { ...work, subject, url: database.url, process: 0, data: eventData };
    // The first process creates the tables.
    const children = [await startChild<Appended>(program, task)];
    const others = Array.from({ length: processes - 1 }, (_, n) => startChild<Appended>(program, { ...task, process: n + 1 }));
    children.push(...(await Promise.all(others)));
    const appended = await Promise.all(children.map((child) => child.work()));
    const acknowledged = appended.reduce((sum, each) => sum + each.acknowledged, 0);
    const { rows } = await database.sql(countSql);
    if (Number(rows[0].count) !== acknowledged)
      throw new Error(`${subject} stored ${rows[0].count} of ${acknowledged} acknowledged events.`);
    return appended.reduce((sum, { perSecond }) => sum + perSecond, 0);
  } finally {
    await database.drop();
  }
}
