import pg from 'pg';
import { pause } from '../../../src/kit/pause.ts';
import { isConnectionLost } from '../../../src/postgres/server-faults.ts';
import { randomFrom } from '../../unit/random.ts';

/** A log with many writers and one tailing reader, as this attack uses it: ours, or another for comparison. */
export interface TailedLog {
  /** Opens a writer on its own connection. The writer throws if its connection is killed. */
  openWriter(): Promise<TailWriter>;
  /** Returns what a reader with a checkpoint gets next. */
  readAfter(checkpoint: bigint): Promise<{ readonly ids: readonly string[]; readonly checkpoint: bigint }>;
  close(): Promise<void>;
}

export interface TailWriter {
  /** Appends in one transaction. Events count as acknowledged once it resolves. */
  append(ids: readonly string[]): Promise<void>;
  /** Appends in a transaction and rolls it back. */
  giveUp(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface TailFigures {
  readonly acknowledged: number;
  /** Acknowledged events that the reader passed without reading them. */
  readonly missed: number;
  /** Events that the reader read twice, or that were rolled back. */
  readonly wrong: number;
  /** Appends that failed although their connection was not killed. */
  readonly refused: number;
  readonly kills: number;
}

export interface TailOptions {
  readonly seed: number;
  readonly writers: number;
  readonly appends: number;
  /** Ends a writer's connection now and then. */
  readonly kill?: (() => Promise<void>) | undefined;
}

const batchMax = 8;
const killPauseMs = 40;
/** Empty reads after the last append, after which the reader counts as done. */
const lastReads = 20;

/** Lets many writers append to a log, with rollbacks and kills, while one reader tails it. Counts what the reader misses. */
export async function tail(log: TailedLog, { seed, writers, appends, kill }: TailOptions): Promise<TailFigures> {
  const acknowledged = new Set<string>();
  const givenUp = new Set<string>();
  const met = new Map<string, number>();
  let kills = 0;
  let refused = 0;
  let isOver = false;

  const write = async (name: number): Promise<void> => {
    const random = randomFrom(seed * 1_000 + name);
    let writer = await log.openWriter();
    for (let n = 0; n < appends; n++) {
      const ids = Array.from({ length: 1 + random.below(batchMax) }, (_, index) => `${name}-${n}-${index}`);
      const isGivenUp = random.chance(0.1);
      try {
        await (isGivenUp ? writer.giveUp(ids) : writer.append(ids));
        for (const id of ids) (isGivenUp ? givenUp : acknowledged).add(id);
      } catch (error) {
        if (!isConnectionLost(error)) refused++;
        // Killed: it is unknown whether the events were stored, so they count neither as acknowledged nor as rolled back.
        await writer.close().catch(() => undefined);
        writer = await log.openWriter();
      }
    }
    await writer.close();
  };
  const read = async (): Promise<void> => {
    let checkpoint = 0n;
    for (let empty = 0; empty < lastReads; ) {
      const page = await log.readAfter(checkpoint);
      ({ checkpoint } = page);
      for (const id of page.ids) met.set(id, (met.get(id) ?? 0) + 1);
      if (page.ids.length > 0) empty = 0;
      else if (isOver) empty++;
      else await pause(1);
    }
  };
  const strike = async (): Promise<void> => {
    while (kill && !isOver) {
      await pause(killPauseMs);
      await kill();
      kills++;
    }
  };
  const reading = Promise.all([read(), strike()]);
  await Promise.all(Array.from({ length: writers }, (_, name) => write(name)));
  isOver = true;
  await reading;
  return {
    acknowledged: acknowledged.size,
    missed: [...acknowledged].filter((id) => !met.has(id)).length,
    wrong: [...met].filter(([id, times]) => times > 1 || givenUp.has(id)).length,
    refused,
    kills,
  };
}

/** Returns a function that ends one random connection of an application name. */
export function killerOf(config: pg.ClientConfig, applicationName: string): () => Promise<void> {
  return async () => {
    const client = new pg.Client(config);
    await client.connect();
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 order by random() limit 1', [
      applicationName,
    ]);
    await client.end();
  };
}
