import pg from 'pg';
import { pause } from '../../../src/kit/pause.ts';
import { isConnectionLost } from '../../../src/postgres/server-faults.ts';
import { randomFrom } from '../../unit/random.ts';

/** A log that many write and one tails, as this attack sees it: ours, and others for comparison. */
export interface TailedLog {
  /** A writer on a connection of its own, which may be killed: it then throws. */
  openWriter(): Promise<TailWriter>;
  /** What a reader with a checkpoint gets next. */
  readAfter(checkpoint: bigint): Promise<{ readonly ids: readonly string[]; readonly checkpoint: bigint }>;
  close(): Promise<void>;
}

export interface TailWriter {
  /** Appends in one transaction; what it acknowledged counts. */
  append(ids: readonly string[]): Promise<void>;
  /** Appends in a transaction that is then given up. */
  giveUp(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface TailFigures {
  readonly acknowledged: number;
  /** Acknowledged events that the reader passed without meeting them. */
  readonly missed: number;
  /** Events that it met twice, or that were given up. */
  readonly wrong: number;
  /** Appends that failed though nobody killed their connection. */
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
/** Reads without an answer after the last append, before the reader may say that it has met all. */
const lastReads = 20;

/** Has many write to a log, with rollbacks and kills, while one reader tails it; counts what the reader misses. */
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
        // Killed: whether it was stored nobody knows, and nobody counts on it.
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

/** Ends one connection of this name, whichever it is. */
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
