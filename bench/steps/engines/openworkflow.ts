import { importPeer } from '../../peers.ts';
import { stepNames, type Engine } from '../engine.ts';
import { untilCounted } from '../until-counted.ts';

/** The part of openworkflow that the benchmark uses. */
interface OpenWorkflowModule {
  OpenWorkflow: new (options: {
    readonly backend: Backend;
  }) => {
    defineWorkflow(
      spec: { readonly name: string },
      workflow: (context: { readonly step: Step }) => Promise<unknown>,
    ): { run(): Promise<unknown> };
    newWorker(options: { readonly concurrency: number }): { start(): Promise<void>; stop(): Promise<void> };
  };
}

interface Backend {
  stop(): Promise<void>;
}

interface Step {
  run(spec: { readonly name: string }, step: () => void): Promise<unknown>;
}

const endedSql = "select count(*) from openworkflow.workflow_runs where status = 'completed'";

/** openworkflow, used as in its own benchmark. All workflows are queued first, which is not measured. Then a worker starts. */
export const openworkflow: Engine = {
  open: async ({ url, concurrency }) => {
    const { OpenWorkflow } = await importPeer<OpenWorkflowModule>('openworkflow');
    const { BackendPostgres } = await importPeer<{ readonly BackendPostgres: { connect(url: string): Promise<Backend> } }>(
      'openworkflow/postgres',
    );
    const backend = await BackendPostgres.connect(url);
    const client = new OpenWorkflow({ backend });
    const workflow = client.defineWorkflow({ name: 'bench' }, async ({ step }) => {
      for (const name of stepNames) await step.run({ name }, () => undefined);
    });
    let ended = 0;
    return {
      run: async (workflows) => {
        await Promise.all(Array.from({ length: workflows }, () => workflow.run()));
        ended += workflows;
        const worker = client.newWorker({ concurrency });
        const started = performance.now();
        await worker.start();
        // Polls by SQL, because openworkflow's handles poll a thousand times a second.
        await untilCounted(url, endedSql, ended);
        const took = performance.now() - started;
        await worker.stop();
        return took;
      },
      close: () => backend.stop(),
    };
  },
};
