import { joinedColumn, type ColumnOrigin, type ManifestStep, type Span } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import type { Json } from '../kit/json.ts';
import { pickValues, type View } from './batch-view.ts';
import type { DecodedChunk } from './chunk-codec.ts';
import { refCounted } from './ref-counted.ts';

/**
 * Returns the values of a column that a chunk does not hold, one per row of the chunk. The chunk begins at output row `first` of its batch.
 * The input is read concurrently with the chunk.
 */
export type InheritedColumns = (name: string, chunk: Promise<DecodedChunk>, first: number) => Promise<readonly Json[]>;

/** Returns the rows of a step's input. */
export type ReadInput = (step: string, spans: readonly Span[]) => Promise<View>;

type InheritingStep = Pick<ManifestStep, 'name' | 'operator' | 'upstream' | 'from'>;

/** Returns a reader of the columns that a batch's rows have from its input. */
export const inheritedColumns = (step: InheritingStep, inputs: readonly Span[], readInput: ReadInput): InheritedColumns =>
  step.operator === 'join' ? columnsOfBranches(step, inputs, readInput) : columnsOfInput(step, inputs, readInput);

/** Reads columns of a step whose rows are made from one input row each. */
function columnsOfInput(step: InheritingStep, inputs: readonly Span[], readInput: ReadInput): InheritedColumns {
  const withInput = refCounted(() => readInput(step.name, inputs));
  return async (name, chunk, first) => {
    // The `from` of a union says which branches have a column. `branchView` applies it.
    const inputName = step.operator === 'union' ? name : (step.from.find(({ column }) => column === name)?.of ?? name);
    const [values, { parents, count }] = await Promise.all([withInput((view) => view.column(inputName)), chunk]);
    return pickValues(values, parents, first, count);
  };
}

/** Reads columns of a join, whose rows are made from one row of each branch. */
function columnsOfBranches(step: InheritingStep, inputs: readonly Span[], readInput: ReadInput): InheritedColumns {
  const branches = step.upstream.map((upstream) =>
    refCounted(() =>
      readInput(
        step.name,
        inputs.filter((span) => span.step === upstream),
      ),
    ),
  );
  const columnOfBranch = async (branch: number, name: string, chunk: Promise<DecodedChunk>): Promise<readonly Json[]> => {
    const [values, { columns, count }] = await Promise.all([branches[branch]?.((view) => view.column(name)), chunk]);
    const rows = columns.get(joinedColumn(branch)) as readonly number[] | undefined;
    assert(rows && values, 'a join records the row number of each branch');
    return pickValues(values, rows, 0, count);
  };
  return async (name, chunk) => {
    const origin: ColumnOrigin = step.from.find(({ column }) => column === name) ?? {
      column: name,
      of: name,
      upstream: [0],
      isList: false,
    };
    const values = await Promise.all(origin.upstream.map((branch) => columnOfBranch(branch, origin.of, chunk)));
    const [only] = values;
    assert(only, 'a joined column has an origin');
    return origin.isList ? only.map((_, row) => Object.freeze(values.map((ofBranch) => ofBranch[row] as Json))) : only;
  };
}
