import { definitionSchema, type Definition, type RecordedEvent } from '#schema';
import { Fault } from '#kit/fault';
import type { Store } from '#log';
import { decodeDocument } from '#rows';

/** A run's first event, and the definition that it names. */
export async function beginning(store: Store, logId: string): Promise<readonly [RecordedEvent<'RunStarted'>, Definition]> {
  for await (const [first] of store.log.read(logId, { from: 1, to: 1 })) {
    if (first?.type !== 'RunStarted') break;
    return [first, decodeDocument(await store.chunks.get(first.chunks[0] ?? ''), definitionSchema)];
  }
  throw new Fault('unknown-run', `There is no run ${logId} in this store.`, { details: { run: logId } });
}
