import type { Columns, ReadContext, SourceStep, StepOptions } from '../../pipeline/index.ts';
import { FactsOfFile, type RowCounter } from './file-facts.ts';
import { openFile, type OpenFile } from './open-file.ts';
import { resolveSourceFile } from './source-file.ts';

/** Options of every file source. */
export interface FileOptions<S extends Columns> extends Omit<StepOptions, 'captures'> {
  /** The columns to read, with the types of their values. */
  readonly output: S;
  /** The column that identifies a row: see `source`. */
  readonly key?: SourceStep<S>['key'];
}

/** A file format and the functions that read it. */
export interface FileFormat {
  readonly id: string;
  /** The options that change its rows, for the step's signature. The path is not one of them: the content counts, and it is recorded. */
  readonly settings: Readonly<Record<string, string>>;
  counter(name: string): RowCounter;
  /** Reads the rows from number `offset` on. Yields an error in place of a row that cannot be read. */
  rows(file: OpenFile, context: ReadContext): AsyncGenerator<object>;
}

/** Creates a source that reads a file. */
export function fileSource<S extends Columns>(given: string | URL, options: FileOptions<S>, format: FileFormat): SourceStep<S> {
  const file = resolveSourceFile(given);
  const factsOfFile = new FactsOfFile(file, () => format.counter(file.name));
  const { id, settings } = format;
  const source = {
    ...options,
    kind: 'source',
    id,
    settings,
    version: options.version ?? 1,
    // The signature is made of id, version and settings, not of the text of these functions.
    code: '',
    read: async function* read(context: ReadContext) {
      const open = await openFile(file);
      try {
        await factsOfFile.refuseOther(open);
        yield* format.rows(open, context);
      } finally {
        await open.close();
      }
    },
    // An unreadable file has no total. The error is reported when the file is opened.
    count: () =>
      factsOfFile.facts().then(
        ({ rows }) => rows,
        () => Number.NaN,
      ),
    origin: async () => ({ ...(await factsOfFile.facts()) }),
  } as const;
  return source as unknown as SourceStep<S>;
}
