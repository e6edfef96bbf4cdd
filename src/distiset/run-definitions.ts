import { definitionSchema, type AcceptedChange, type Definition, type RecordedEvent } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';
import { decodeDocument } from '../rows/index.ts';
import { beginning } from './beginning.ts';

/** A definition that a run had, and the event from which on it applied. */
export interface RunDefinition {
  /** Where it was recorded: 1, or where changes were accepted. It applies until the next one. */
  readonly position: number;
  readonly recordedAt: string;
  /** SHA-256 of its chunk. */
  readonly sha256: string;
  readonly program: { readonly distilog: string; readonly node: string };
  /** What the user accepted as changed; empty for the first definition. */
  readonly acceptedChanges: readonly AcceptedChange[];
  /** Reads it. Nothing is kept: a run may have many, each with all source files. */
  read(): Promise<Definition>;
}

/**
 * Lists the definitions that a run had up to a position, in order, without reading their chunks: that of `RunStarted`, and each that a resume or retry with
 * accepted changes recorded. Throws `Fault('unknown-run')`.
 */
export async function runDefinitions(store: Store, runId: string, to?: number): Promise<readonly [RunDefinition, ...RunDefinition[]]> {
  return definitionsFrom(store, await beginning(store, runLogId(runId)), to);
}

/** Lists the same, where the run's beginning was read before. */
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

/** Returns the definition under which the event at a position was made. A driver appends under the definition that it recorded last, and is fenced by the next. */
export function definitionAt(definitions: readonly [RunDefinition, ...RunDefinition[]], position: number): RunDefinition {
  return definitions.findLast((definition) => definition.position <= position) ?? definitions[0];
}
