import { beginning, runDefinitions } from '#distiset';
import type { Definition, Manifest, RecordedEvent } from '#schema';
import { runLogId, type Store } from '#log';

/** A run's pipeline as it was recorded. */
export interface RecordedPipeline {
  readonly started: RecordedEvent<'RunStarted'>;
  /** With the changes that were accepted on the way. */
  readonly manifest: Manifest;
  readonly definition: Definition;
}

/** Returns a run's pipeline as it was recorded last: with the changes that were accepted on the way. */
export async function recordedPipeline(store: Store, runId: string): Promise<RecordedPipeline> {
  const [started] = await beginning(store, runLogId(runId));
  const definitions = await runDefinitions(store, runId);
  const signatures = new Map(started.data.manifest.steps.map(({ name, signature }) => [name, signature]));
  for (const { acceptedChanges } of definitions) for (const { step, signature } of acceptedChanges) signatures.set(step, signature);
  const definition = await (definitions.at(-1) ?? definitions[0]).read();
  const steps = started.data.manifest.steps.map((step) => ({ ...step, signature: signatures.get(step.name) ?? step.signature }));
  return { started, manifest: { ...started.data.manifest, steps }, definition };
}
