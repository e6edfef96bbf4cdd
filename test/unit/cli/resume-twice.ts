import { actor } from '../../fixtures/actor.ts';
import { resumePipeline } from '../../../src/engine/index.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { plan } from '../../../src/pipeline/index.ts';
import { documentChunk } from '../../../src/rows/index.ts';
import { startRun } from '../../../src/scheduler/index.ts';
import { loadPipeline } from '../../../src/cli/load-pipeline.ts';
import { loadContinuedPipeline } from '../../../src/cli/continued-pipeline.ts';
import { recordedPipeline } from '../../../src/views/index.ts';
import { silentTerminal } from './silent-terminal.ts';

/** What was said at each resume, and which files the recorded definition held before it. */
export interface ResumedTwice {
  readonly notes: readonly (readonly string[])[];
  readonly sources: readonly (readonly string[])[];
}

// Starts a run as an older distilog did, without a record of what was loaded, and resumes it twice from the file that is given.
const [, , file = ''] = process.argv;
const store = memoryStore();
const runId = 'known-1';
const { pipeline, relativeSources } = await loadPipeline(file);
const { manifest, definition } = plan(pipeline, { sources: relativeSources });
const run = await startRun(
  {
    store,
    actor,
    clock: systemClock,
    findOwedPass: () => Promise.resolve(null),
    program: { distilog: '0.0.9', node: '22.18.0' },
    makeWorker: () => ({
      name: 'none',
      load: { unfinished: () => undefined, unfinishedOf: () => 0, heldBytes: () => 0 },
      run: () => Promise.reject(new Error('nothing runs')),
      sourceFacts: () => Promise.resolve({ count: null, origin: null }),
      retriedRows: () => Promise.resolve([]),
      sourceRows: () => 1,
      onRecorded: () => undefined,
      stop: () => undefined,
      close: () => Promise.resolve(),
    }),
  },
  { runId, manifest, definition: documentChunk(definition), params: {}, secrets: [], seed: 1, file },
);
const pause = { kind: 'pause', reason: 'asked', message: '', step: null, actor } as const;
run.stop(pause);
await run.drive();

const notes: string[][] = [];
const sources: string[][] = [];
const recordedSources = async () => (await recordedPipeline(store, runId)).definition.sources.map(({ path }) => path);
for (let time = 0; time < 2; time++) {
  const said: string[] = [];
  const terminal = silentTerminal({ note: (line) => void said.push(line) });
  const context = { terminal, exit: () => undefined, onInterrupt: () => undefined, goOnWithoutOutput: () => undefined };
  sources.push(await recordedSources());
  const { planned, acceptedChanges, recordsDefinition } = await loadContinuedPipeline(context, store, runId, await loadPipeline(file), {
    command: 'resume',
    param: [],
  });
  const resumed = await resumePipeline(store, planned, {
    runId,
    seize: false,
    acceptedChanges,
    recordsDefinition,
    concurrency: {},
    skip: [],
  });
  resumed.stop(pause);
  await resumed.drive();
  notes.push(said);
}
process.stdout.write(`${JSON.stringify({ notes, sources } satisfies ResumedTwice)}\n`);
