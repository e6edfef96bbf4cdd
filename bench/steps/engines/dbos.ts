import { importPeer } from '../../peers.ts';
import { stepNames, type Engine } from '../engine.ts';

/** The part of DBOS that the benchmark uses. */
interface Dbos {
  readonly DBOS: {
    setConfig(config: { readonly name: string; readonly systemDatabaseUrl: string; readonly logLevel: string }): void;
    registerWorkflow(workflow: () => Promise<void>, options: { readonly name: string }): () => Promise<void>;
    runStep(step: () => Promise<void>, options: { readonly name: string }): Promise<void>;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
  };
}

/** DBOS. Workflows are called directly, without a queue. */
export const dbos: Engine = {
  open: async ({ url, concurrency }) => {
    const { DBOS } = await importPeer<Dbos>('@dbos-inc/dbos-sdk');
    DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error' });
    const workflow = DBOS.registerWorkflow(
      async () => {
        for (const name of stepNames) await DBOS.runStep(async () => undefined, { name });
      },
      { name: 'bench' },
    );
    await DBOS.launch();
    return {
      run: async (workflows) => {
        const started = performance.now();
        let left = workflows;
        const caller = async () => {
          while (left-- > 0) await workflow();
        };
        await Promise.all(Array.from({ length: concurrency }, caller));
        return performance.now() - started;
      },
      close: () => DBOS.shutdown(),
    };
  },
};
