import { beginning } from '#distiset';
import { definitionSchema, type Definition, type Manifest, type RecordedEvent } from '#schema';
import { runLogId, type Store } from '#log';
import { decodeDocument } from '#rows';

/** A run's pipeline as it was recorded. */
export interface RecordedPipeline {
  readonly started: RecordedEvent<'RunStarted'>;
  /** With the changes that were accepted on the way. */
  readonly manifest: Manifest;
  readonly definition: Definition;
}

/** A run's pipeline as it was recorded last: with the changes that were accepted on the way. */
export async function recordedPipeline(store: Store, runId: string): Promise<RecordedPipeline> {
  const logId = runLogId(runId);
  const [started, first] = await beginning(store, logId);
  let definition = first;
  const signatures = new Map(started.data.manifest.steps.map(({ name, signature }) => [name, signature]));
  for await (const page of store.log.read(logId, { types: ['RunResumed'] })) {
    for (const event of page) {
      if (event.type !== 'RunResumed') continue;
      for (const { step, signature } of event.data.acceptedChanges) signatures.set(step, signature);
      const [chunk] = event.chunks;
      if (chunk !== undefined) definition = decodeDocument(await store.chunks.get(chunk), definitionSchema);
    }
  }
  const steps = started.data.manifest.steps.map((step) => ({ ...step, signature: signatures.get(step.name) ?? step.signature }));
  return { started, manifest: { ...started.data.manifest, steps }, definition };
}
