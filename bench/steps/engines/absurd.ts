import pg from 'pg';
import { assert } from '../../../src/kit/assert.ts';
import { importPeer } from '../../peers.ts';
import { absurdSql } from '../absurd-sql.ts';
import { stepNames, type Engine } from '../engine.ts';
import { untilCounted } from '../until-counted.ts';

/** The part of absurd that the benchmark uses. */
interface AbsurdModule {
  Absurd: new (options: {
    readonly db: string;
    readonly queueName: string;
  }) => {
    createQueue(): Promise<void>;
    registerTask(task: { readonly name: string }, handler: (parameters: unknown, context: Context) => Promise<unknown>): void;
    spawn(name: string, parameters: object): Promise<unknown>;
    startWorker(options: { readonly concurrency: number; readonly pollInterval: number }): Promise<{ close(): Promise<void> }>;
    close(): Promise<void>;
  };
}

interface Context {
  step(name: string, step: () => Promise<null>): Promise<unknown>;
}

const queueName = 'bench';
const endedSql = `select count(*) from absurd.t_${queueName} where state = 'completed'`;
/** Seconds between two polls of an idle worker. With the default, a quarter of a second, the measurement would include a wait at the end. */
const pollInterval = 0.02;

/** absurd. All workflows are queued first, which is not measured. Then a worker starts. */
export const absurd: Engine = {
  open: async ({ url, concurrency }) => {
    const client = new pg.Client(url);
    await client.connect();
    const sql = absurdSql();
    assert(sql, 'absurd runs only if its SQL is installed');
    await client.query(sql);
    await client.end();
    const { Absurd } = await importPeer<AbsurdModule>('absurd-sdk');
    const app = new Absurd({ db: url, queueName });
    await app.createQueue();
    app.registerTask({ name: 'bench' }, async (_parameters, context) => {
      for (const name of stepNames) await context.step(name, async () => null);
    });
    let ended = 0;
    return {
      run: async (workflows) => {
        await Promise.all(Array.from({ length: workflows }, () => app.spawn('bench', {})));
        ended += workflows;
        const started = performance.now();
        const worker = await app.startWorker({ concurrency, pollInterval });
        await untilCounted(url, endedSql, ended);
        const took = performance.now() - started;
        await worker.close();
        return took;
      },
      close: () => app.close(),
    };
  },
};
