import type { Columns, ReadContext, SourceStep, StepOptions } from '../../pipeline/index.ts';
import { FactsOfFile, type RowCounter } from './file-facts.ts';
import { openFile, type OpenFile } from './open-file.ts';
import { sourceFile } from './source-file.ts';

/** What every file source is told. */
export interface FileOptions<S extends Columns> extends Omit<StepOptions, 'captures'> {
  /** The columns that are read, with the types of their values. */
  readonly output: S;
  /** The column that identifies a row: see `source`. */
  readonly key?: SourceStep<S>['key'];
}

/** How a file of some format is read. */
export interface FileFormat {
  readonly id: string;
  /** What changes its rows, for the step's signature. The path is none of it: what counts is the content, which is recorded. */
  readonly settings: Readonly<Record<string, string>>;
  counter(name: string): RowCounter;
  /** Rows from the one numbered `offset` on, errors in the place of those that cannot be had. */
  rows(file: OpenFile, context: ReadContext): AsyncGenerator<object>;
}

/** A source that reads a file. */
export function fileSource<S extends Columns>(given: string | URL, options: FileOptions<S>, format: FileFormat): SourceStep<S> {
  const file = sourceFile(given);
  const known = new FactsOfFile(file, () => format.counter(file.name));
  const { id, settings } = format;
  const source = {
    ...options,
    kind: 'source',
    id,
    settings,
    version: options.version ?? 1,
    // What it does is told by id, version and settings, not by the text of these functions.
    code: '',
    read: async function* read(context: ReadContext) {
      const open = await openFile(file);
      try {
        await known.refuseOther(open);
        yield* format.rows(open, context);
      } finally {
        await open.close();
      }
    },
    // A file that cannot be read is told of when it is opened: then there is no total.
    count: () =>
      known.facts().then(
        ({ rows }) => rows,
        () => Number.NaN,
      ),
    origin: async () => ({ ...(await known.facts()) }),
  } as const;
  return source as unknown as SourceStep<S>;
}
