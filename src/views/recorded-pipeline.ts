import { readBeginning, runDefinitions } from '../distiset/index.ts';
import type { Definition, Loaded, Manifest, RecordedEvent } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';

/** A run's pipeline as it was recorded. */
export interface RecordedPipeline {
  readonly started: RecordedEvent<'RunStarted'>;
  /** Includes the changes that later drivers accepted. */
  readonly manifest: Manifest;
  readonly definition: Definition;
  /** The packages and imports that were loaded with it last, or null if no driver recorded them. */
  readonly loaded: Loaded | null;
  /** The version of distilog that drove the run last. */
  readonly distilog: string;
}

/** Returns a run's pipeline as it was recorded last, with all accepted changes. */
export async function recordedPipeline(store: Store, runId: string): Promise<RecordedPipeline> {
  const [started] = await readBeginning(store, runLogId(runId));
  const definitions = await runDefinitions(store, runId);
  const signatures = new Map(started.data.manifest.steps.map(({ name, signature }) => [name, signature]));
  for (const { acceptedChanges } of definitions) for (const { step, signature } of acceptedChanges) signatures.set(step, signature);
  const definition = await (definitions.at(-1) ?? definitions[0]).read();
  const steps = started.data.manifest.steps.map((step) => ({ ...step, signature: signatures.get(step.name) ?? step.signature }));
  return { started, manifest: { ...started.data.manifest, steps }, definition, ...(await lastDrive(store, runId)) };
}

async function lastDrive({ log }: Store, runId: string): Promise<Pick<RecordedPipeline, 'loaded' | 'distilog'>> {
  let last: Pick<RecordedPipeline, 'loaded' | 'distilog'> = { loaded: null, distilog: '' };
  for await (const page of log.read(runLogId(runId), { types: ['RunStarted', 'RunResumed', 'RunReopened'] })) {
    for (const event of page)
      if (event.type === 'RunStarted' || event.type === 'RunResumed' || event.type === 'RunReopened')
        last = { loaded: event.data.loaded ?? last.loaded, distilog: event.data.program.distilog };
  }
  return last;
}
