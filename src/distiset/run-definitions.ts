import { definitionSchema, type AcceptedChange, type Definition, type RecordedEvent } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';
import { decodeDocument } from '../rows/index.ts';
import { readBeginning } from './beginning.ts';

/** A definition of a run, and the event from which it applied. */
export interface RunDefinition {
  /** The position of the event that recorded it: 1, or the acceptance of changes. It applies until the next one. */
  readonly position: number;
  readonly recordedAt: string;
  /** SHA-256 of its chunk. */
  readonly sha256: string;
  readonly program: { readonly distilog: string; readonly node: string };
  /** The changes that the user accepted. The first definition has none. */
  readonly acceptedChanges: readonly AcceptedChange[];
  /** Reads the definition. It is not cached, because a run may have many, each with all source files. */
  read(): Promise<Definition>;
}

/**
 * Lists the definitions of a run up to a position, in order, without reading their chunks: that of `RunStarted`, and each that a resume or retry with accepted
 * changes recorded. Throws `Fault('unknown-run')`.
 */
export async function runDefinitions(store: Store, runId: string, to?: number): Promise<readonly [RunDefinition, ...RunDefinition[]]> {
  return definitionsFrom(store, await readBeginning(store, runLogId(runId)), to);
}

/** Lists the same definitions for a run whose first event was already read. */
export async function definitionsFrom(
  store: Store,
  [started, first]: readonly [RecordedEvent<'RunStarted'>, Definition],
  to?: number,
): Promise<readonly [RunDefinition, ...RunDefinition[]]> {
  const { logId, position, recordedAt, chunks, data } = started;
  const definitions: [RunDefinition, ...RunDefinition[]] = [
    {
      position,
      recordedAt,
      sha256: chunks[0] ?? '',
      program: data.program,
      acceptedChanges: [],
      read: () => Promise.resolve(first),
    },
  ];
  for await (const page of store.log.read(logId, { to, types: ['RunResumed'] })) {
    for (const event of page) {
      const [sha256] = event.chunks;
      if (event.type !== 'RunResumed' || sha256 === undefined) continue;
      definitions.push({
        position: event.position,
        recordedAt: event.recordedAt,
        sha256,
        program: event.data.program,
        acceptedChanges: event.data.acceptedChanges,
        read: async () => decodeDocument(await store.chunks.get(sha256), definitionSchema),
      });
    }
  }
  return definitions;
}

/** Returns the definition that applied at a position. A driver appends under the definition that it recorded last, and the next driver fences it. */
export function definitionAt(definitions: readonly [RunDefinition, ...RunDefinition[]], position: number): RunDefinition {
  return definitions.findLast((definition) => definition.position <= position) ?? definitions[0];
}
