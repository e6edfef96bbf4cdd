import { definitionSchema, type Definition, type RecordedEvent } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { Store } from '../log/index.ts';
import { decodeDocument } from '../rows/index.ts';

/** Reads a run's first event and the definition that it names. Throws `Fault('unknown-run')`. */
export async function readBeginning(store: Store, logId: string): Promise<readonly [RecordedEvent<'RunStarted'>, Definition]> {
  for await (const [first] of store.log.read(logId, { from: 1, to: 1 })) {
    if (first?.type !== 'RunStarted') break;
    return [first, decodeDocument(await store.chunks.get(first.chunks[0] ?? ''), definitionSchema)];
  }
  throw new Fault('unknown-run', `There is no run ${logId} in this store.`, { details: { run: logId } });
}
