// Pipelines whose steps start what they do not await, run in a process of their own: a test runner has handlers for such errors itself.
import { EventEmitter } from 'node:events';
import { z } from 'zod';
import { handleUnhandledErrors, resumePipeline, startPipeline, type EngineOptions } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, resource, type Pipeline } from '../../../src/pipeline/index.ts';
import type { RecordedEvent } from '../../../schema/index.ts';
import { eventsOf, rowsOf } from './engine.ts';

const out = z.object({ out: z.int() });
const rows = (count: number, batchSize: number) => ({
  output: z.object({ n: z.int() }),
  rows: Array.from({ length: count }, (_, n) => ({ n })),
  batchSize,
});
const retry = { attempts: 2, backoffMs: 1 };
const forever = new Promise<never>(() => undefined);
const fail = (message: string): never => {
  throw new Error(message);
};
const rejects = (message: string): void => void Promise.reject(new Error(message));

interface Scenario {
  readonly of: Pipeline;
  readonly options?: EngineOptions;
  /** What makes the pipeline whole, before it is resumed. */
  readonly mend?: () => void;
}

/** What one step does for row 3 of 8, in batches of 4; the others are as they should be. */
const oneStep = (run: (n: number) => unknown): Scenario => ({
  of: pipeline('p', ({ source }) => {
    source('rows', rows(8, 4)).map('call', { output: out, retry, run: (({ n }: { n: number }) => run(n)) as never });
  }),
});

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const isSuccessOf = (step: string) => (event: RecordedEvent) => event.type === 'BatchSucceeded' && event.step === step;

const scenarios: Readonly<Record<string, () => Scenario>> = {
  'a rejection beside a call': () =>
    oneStep(async (n) => {
      if (n === 3) rejects('floating');
      return n === 3 ? await forever : { out: n };
    }),
  'a throw in a timer': () =>
    oneStep(async (n) => {
      if (n === 3) setTimeout(() => fail('floating'), 1);
      return n === 3 ? await forever : { out: n };
    }),
  'a rejection of a call that returns': () =>
    oneStep(async (n) => {
      await Promise.resolve();
      if (n === 3) rejects('floating');
      return { out: n };
    }),
  'a rejection of a function that returns at once': () =>
    oneStep((n) => {
      if (n === 3) rejects('floating');
      return { out: n };
    }),
  'a rejection of a function that is tried once': () => ({
    of: pipeline('p', ({ source }) => {
      source('rows', rows(8, 4)).map('call', {
        output: out,
        retry: { attempts: 1 },
        run: ({ n }) => {
          if (n === 3) rejects('floating');
          return { out: n };
        },
      });
    }),
  }),
  'a rejection of a generator': () => ({
    of: pipeline('p', ({ source }) => {
      source('rows', rows(8, 4)).flatMap('call', {
        output: out,
        retry,
        run: async function* ({ n }) {
          await Promise.resolve();
          if (n === 3) rejects('floating');
          if (n === 3) await forever;
          yield { out: n };
        },
      });
    }),
  }),
  'a rejection of a mapBatch': () => ({
    of: pipeline('p', ({ source }) => {
      source('rows', rows(8, 4)).mapBatch('call', {
        output: out,
        retry,
        run: (batch) => {
          if (batch.some(({ n }) => n === 3)) rejects('floating');
          return batch.map(({ n }) => ({ out: n }));
        },
      });
    }),
  }),
  'a rejection of a batch': () => ({
    of: pipeline('p', ({ source }) => {
      source('rows', rows(8, 4)).batch('call', {
        output: out,
        retry,
        batchSize: 4,
        run: (batch) => {
          if (batch.some(({ n }) => n === 3)) rejects('floating');
          return batch.map(({ n }) => ({ out: n }));
        },
      });
    }),
  }),
  'a rejection of a global': () => ({
    of: pipeline('p', ({ source }) => {
      source('rows', rows(8, 4)).global('call', {
        output: out,
        retry,
        run: async function* (all) {
          rejects('floating');
          for await (const { n } of all) yield { out: n };
        },
      });
    }),
  }),
  'an event of a source that nobody listens to': () => ({
    of: pipeline('p', ({ source }) => {
      source('call', {
        output: out,
        retry,
        read: async function* () {
          yield { out: 0 };
          const emitter = new EventEmitter();
          setImmediate(() => emitter.emit('error', new Error('floating')));
          await forever;
        },
      });
    }),
  }),
  'a rejection after its batch has ended': () => {
    const ended = gate();
    const held = gate();
    let isBroken = true;
    process.on('unhandledRejection', held.open);
    return {
      of: pipeline('p', ({ source }) => {
        source('rows', rows(8, 4))
          .map('call', {
            output: out,
            run: ({ n }) => {
              if (n === 3 && isBroken) void ended.opened.then(() => fail('floating'));
              return { out: n };
            },
          })
          .map('held', {
            output: z.object({ held: z.int() }),
            run: async ({ n }) => {
              if (isBroken) await held.opened;
              return { held: n };
            },
          });
      }),
      options: { onRecorded: (events) => (events.some(isSuccessOf('call')) ? ended.open() : undefined) },
      mend: () => {
        isBroken = false;
      },
    };
  },
  'an event of a resource that nobody listens to': () => {
    const held = gate();
    let isBroken = true;
    process.on('uncaughtException', held.open);
    const client = resource('client', () => {
      const emitter = new EventEmitter();
      if (isBroken) setImmediate(() => emitter.emit('error', new Error('floating')));
      return emitter;
    });
    return {
      of: pipeline('p', ({ source }) => {
        source('rows', rows(8, 4)).map('call', {
          output: out,
          concurrency: 1,
          run: async ({ n }, { use }) => {
            await use(client);
            if (isBroken) await held.opened;
            return { out: n };
          },
        });
      }),
      mend: () => {
        isBroken = false;
      },
    };
  },
  'an error from elsewhere': () => {
    const held = gate();
    let isBroken = true;
    process.on('unhandledRejection', held.open);
    setTimeout(() => rejects('floating'), 100);
    return {
      of: pipeline('p', ({ source }) => {
        source('rows', rows(8, 4)).map('call', {
          output: out,
          concurrency: 1,
          run: async ({ n }) => {
            if (isBroken) await held.opened;
            return { out: n };
          },
        });
      }),
      mend: () => {
        isBroken = false;
      },
    };
  },
  'a late rejection of a call that failed': () =>
    oneStep(async (n) => {
      if (n !== 3) return { out: n };
      setImmediate(() => rejects('floating'));
      setImmediate(() => setImmediate(() => rejects('again')));
      await Promise.resolve();
      throw Object.assign(new Error('by itself'), { code: 'own', retryable: false });
    }),
};

const [name = '', handling = ''] = process.argv.slice(2);
const remove = handling === 'unhandled' ? () => undefined : handleUnhandledErrors();
const scenario = scenarios[name]?.();
if (!scenario) throw new Error(`no scenario ${name}`);
const { of, options, mend } = scenario;
const store = memoryStore();
const run = await startPipeline(store, plan(of), { seed: 1, ...options });
let { rest } = await run.drive();
const rests = [rest];
if (rest === 'paused') {
  mend?.();
  const again = await resumePipeline(store, plan(of), { runId: run.runId, seize: false, acceptedChanges: [], concurrency: {}, skip: [] });
  ({ rest } = await again.drive());
  rests.push(rest);
}
remove();
const events = await eventsOf(store, run.runId);
const told = {
  rests,
  rows: Object.values(await rowsOf(store, run.runId)).flatMap((all) => all.map((row) => row['out'])),
  rejected: events.flatMap((event) =>
    event.type === 'BatchSucceeded'
      ? event.data.rejected.rows.map(({ row, code, message, attempts }) => ({ batch: event.batch, row, code, message, attempts }))
      : [],
  ),
  failed: events.flatMap((event) => (event.type === 'BatchFailed' ? [{ code: event.data.error.code, counted: event.data.counted }] : [])),
  paused: events.flatMap((event) => (event.type === 'RunPaused' ? [{ reason: event.data.reason, message: event.data.message }] : [])),
};
process.stdout.write(JSON.stringify(told), () => process.exit(0));
