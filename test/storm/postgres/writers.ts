import { follow, openAppender, verify, type Appender, type Store } from '../../../src/log/index.ts';
import { pause } from '../../../src/kit/pause.ts';
import { finishedRun, started } from '../../postgres/runs.ts';
import type { randomFrom } from '../../unit/random.ts';

/** Writers with one run each, and a reader that follows each run. This process, not the server, remembers what was acknowledged. */
export interface Writers {
  /** Waits until every writer has the answer to an append that began after this call. Rejects with the cause if a writer ended. */
  goOn(): Promise<void>;
  /** Lets the writers finish and compares. Rejects with every broken promise. */
  finish(): Promise<WriterFigures>;
  readonly writers: readonly Writer[];
  /** Reports of all writers about the store, in order: an error when it is away, null when it is back. */
  readonly reports: readonly (Error | null)[];
}

export interface WriterFigures {
  readonly acknowledged: number;
  readonly lost: number;
}

interface Writer {
  readonly runId: string;
  readonly appender: Appender;
  /** The acknowledged position of each batch. */
  readonly acknowledged: Map<number, number>;
  /** Positions that the follower read, in order. */
  readonly followed: number[];
  /** Batches from `firstBatch` to below `nextBatch` were sent. */
  nextBatch: number;
}

const firstBatch = 1_000;
/** Appends that one writer has in flight. */
const callers = 2;
const eventsMax = 5;
const pauseMaxMs = 4;
const goOnTimeoutMs = 150_000;
const followIntervalMs = 20;

export interface WriterOptions {
  /** The store that writers use, under attack. */
  readonly store: Store;
  /** The store that readers use. It need not be under attack. */
  readonly reader: Store;
  readonly count: number;
  readonly random: ReturnType<typeof randomFrom>;
}

export async function startWriters({ store, reader, count, random }: WriterOptions): Promise<Writers> {
  const reports: (Error | null)[] = [];
  const writers = await Promise.all(Array.from({ length: count }, () => startWriter(store, (error) => reports.push(error))));
  const over = new AbortController();
  const failures: string[] = [];
  const fail = ({ runId }: Writer, error: unknown) => failures.push(`${runId}: ${String(error)}`);

  const write = async (writer: Writer): Promise<void> => {
    while (!over.signal.aborted) {
      const batches = Array.from({ length: 1 + random.below(eventsMax) }, () => writer.nextBatch++);
      const recorded = await writer.appender.append(batches.map(started));
      recorded.forEach(({ position }, index) => writer.acknowledged.set(batches[index] ?? -1, position));
      await pause(random.below(pauseMaxMs), over.signal);
    }
  };
  const tail = async (writer: Writer, signal: AbortSignal): Promise<void> => {
    for await (const page of follow(reader.log, writer.runId, { from: 1, signal, pollIntervalMs: followIntervalMs }))
      writer.followed.push(...page.map(({ position }) => position));
  };
  const read = new AbortController();
  const writing = writers.flatMap((writer) => Array.from({ length: callers }, () => write(writer).catch((error) => fail(writer, error))));
  const reading = writers.map((writer) => tail(writer, read.signal).catch((error) => fail(writer, error)));

  return {
    writers,
    reports,
    goOn: async () => {
      const from = writers.map(({ nextBatch }) => nextBatch);
      for (const until = Date.now() + goOnTimeoutMs; ; await pause(10)) {
        if (failures.length > 0) throw new Error(failures.join('; '));
        if (writers.every(({ acknowledged }, index) => [...acknowledged.keys()].some((batch) => batch >= (from[index] ?? 0)))) return;
        if (Date.now() > until) throw new Error(`writers do not go on; they reported ${reports.map((error) => error?.message).join(', ')}`);
      }
    },
    finish: async () => {
      over.abort();
      await Promise.all(writing);
      for (const { appender } of writers) await appender.close();
      await untilRead(reader, writers);
      read.abort();
      await Promise.all(reading);
      let acknowledged = 0;
      let lost = 0;
      for (const writer of writers) {
        const compared = await compare(reader, writer);
        acknowledged += writer.acknowledged.size;
        lost += compared.lost;
        failures.push(...compared.failures);
      }
      if (failures.length > 0) throw new Error(failures.join('; '));
      return { acknowledged, lost };
    },
  };
}

async function startWriter(store: Store, onAway: (error: Error | null) => void): Promise<Writer> {
  const runId = await finishedRun(store, 10);
  const head = await store.log.head(runId);
  // The server may not have noticed yet that the previous driver of the run has gone.
  const opened = await store.log.openDriver(runId, { seize: true });
  if (!head || !opened.ok) throw new Error(`run ${runId} is driven by another process`);
  const { epoch, position, hash: expectedHash } = head;
  const appender = openAppender({ log: store.log, runId, session: opened.session, epoch, position, expectedHash, writer: 'w', onAway });
  return { runId, appender, acknowledged: new Map(), followed: [], nextBatch: firstBatch };
}

async function untilRead(reader: Store, writers: readonly Writer[]): Promise<void> {
  for (const { runId, followed } of writers) {
    const head = (await reader.log.head(runId))?.position ?? 0;
    for (const until = Date.now() + goOnTimeoutMs; (followed.at(-1) ?? 0) < head && Date.now() < until; ) await pause(followIntervalMs);
  }
}

/** Compares the stored events with what was acknowledged, sent and followed. */
async function compare(reader: Store, { runId, acknowledged, followed, nextBatch }: Writer) {
  const failures: string[] = [];
  const expect = (isSo: boolean, what: string) => isSo || failures.push(`${runId}: ${what}`);
  const positions = new Map<number, number>();
  let position = 0;
  let recordedAt = '';
  for await (const page of reader.log.read(runId)) {
    for (const event of page) {
      expect(event.position === position + 1, `position ${event.position} comes after ${position}`);
      expect(event.recordedAt >= recordedAt, `the time goes back at position ${event.position}`);
      ({ position, recordedAt } = event);
      if (event.type !== 'BatchStarted' || event.batch < firstBatch) continue;
      expect(!positions.has(event.batch), `batch ${event.batch} is there twice`);
      expect(event.batch < nextBatch, `batch ${event.batch} was never sent`);
      positions.set(event.batch, event.position);
    }
  }
  const lost = [...acknowledged].filter(([batch, at]) => positions.get(batch) !== at);
  expect(lost.length === 0, `${lost.length} acknowledged events are lost: batch ${lost[0]?.[0]}, position ${lost[0]?.[1]}`);
  const wrong = followed.findIndex((at, index) => at !== index + 1);
  expect(wrong === -1, `the follower read ${followed[wrong]} instead of ${wrong + 1}`);
  expect(followed.length === position, `the follower read ${followed.length} of ${position} events`);
  const { firstBad } = await verify(reader, runId);
  expect(firstBad === null, `verify: position ${firstBad?.position}: ${firstBad?.reason}`);
  return { failures, lost: lost.length };
}
