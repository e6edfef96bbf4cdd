import {
  errors,
  graph,
  progress,
  type ErrorGroup,
  type ErrorsState,
  type GraphState,
  type ProgressState,
} from '../../projections/index.ts';
import type { Definition, RecordedEvent } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';
import { foldAll, runLogId, type AsOf, type Store } from '../log/index.ts';
import { readBeginning } from './beginning.ts';
import { onlyConfig } from './config-names.ts';
import { definitionPeriods, type DefinitionPeriod } from './definition-periods.ts';
import { ancestry, leafState, type LeafState } from './leaf-state.ts';
import { leafBlocks, rowsIn, type RowBlock } from './row-blocks.ts';

/** A config of a distiset: the rows of one leaf. */
export interface DistisetConfig {
  /** `default` if the pipeline has one leaf, else the step's name: the same for a partial and a final distiset. */
  readonly name: string;
  readonly step: string;
  readonly state: LeafState;
  readonly columns: Definition['steps'][number]['columns'];
  /** Number of rows in its successful batches, as recorded. Rows after a failed batch are not exported. */
  readonly rowsCommitted: number;
  readonly batches: { readonly succeeded: number; readonly failed: number; readonly running: number };
  /** Share of the source's items that it has processed, from 0 to 1, or null if the source does not know its total. */
  readonly sourceShare: number | null;
  /** Losses in the leaf and the steps above it, by step and cause. */
  readonly losses: readonly ErrorGroup[];
  /** Reads the rows in order, as they are iterated. Each call starts from the first row. */
  rows(): AsyncIterable<JsonObject>;
  /** Reads the same rows in blocks, by column, which is cheaper to create and to iterate. */
  blocks(): AsyncIterable<RowBlock>;
}

/** The dataset of a run as of a position, with its metadata. */
export interface Distiset {
  readonly runId: string;
  readonly pipeline: string;
  readonly asOf: AsOf;
  readonly startedAt: string;
  /** The status of the run as of then. */
  readonly status: GraphState['status'];
  readonly seed: number;
  readonly params: JsonObject;
  readonly program: RecordedEvent<'RunStarted'>['data']['program'];
  readonly signature: string;
  /** The definitions under which rows were made up to then, in order, each with its changes. */
  readonly definitions: readonly DefinitionPeriod[];
  readonly configs: readonly DistisetConfig[];
  /** The requested leaves, and the steps requested instead of leaves. */
  readonly include: 'committed' | 'finished';
  readonly steps: readonly string[] | null;
  /** Leaves that `include: 'finished'` left out, with their state. */
  readonly leftOut: readonly { readonly name: string; readonly step: string; readonly state: LeafState }[];
}

/** Options of `createDistiset`. */
export interface DistisetOptions {
  readonly asOf: AsOf;
  /** `committed` (default): all rows that have arrived. `finished`: only leaves that are finished, complete or partial. */
  readonly include?: 'committed' | 'finished' | undefined;
  /** Steps to show instead of the leaves. Any step can be shown. */
  readonly steps?: readonly string[] | undefined;
}

/**
 * Creates the distiset of a run as of a position. It works in any state of the run, while another process drives it, and without the pipeline's file. Rows are
 * read only as they are iterated. A distiset without rows is valid. Throws `Fault('unknown-step')`.
 */
export async function createDistiset(
  store: Store,
  runId: string,
  { asOf, include = 'committed', steps }: DistisetOptions,
): Promise<Distiset> {
  const logId = runLogId(runId);
  const { position } = asOf;
  const first = await readBeginning(store, logId);
  const [started, definition] = first;
  const { manifest, seed, params, program } = started.data;
  const [definitions, [graphState, progressState, errorsState]] = await Promise.all([
    definitionPeriods(store, first, position),
    foldAll<[GraphState, ProgressState, ErrorsState]>(store, [graph, progress, errors], logId, position),
  ]);
  const leaves = graphState.order.filter((name) => graphState.steps[name]?.plan.consumers.length === 0);
  const wanted = steps ?? leaves;
  const unknown = wanted.find((name) => !Object.hasOwn(graphState.steps, name));
  if (unknown !== undefined) {
    throw new Fault('unknown-step', `Run ${runId} has no step ${unknown}. Its steps: ${graphState.order.join(', ')}.`, {
      details: { step: unknown },
    });
  }

  const configOf = (step: string): DistisetConfig => {
    const ancestors = ancestry(graphState, step).map(([name]) => name);
    const columns = definition.steps.find(({ name }) => name === step)?.columns ?? [];
    const names = columns.map(({ name }) => name);
    const end = graphState.steps[step]?.end ?? null;
    const blocks = () => leafBlocks(store, { runId, step, steps: manifest.steps, columns: names, position, end });
    const source = ancestors.map((name) => progressState.steps[name]).find((state) => state?.count !== undefined && state.count !== null);
    return {
      name: steps === undefined && leaves.length === 1 ? onlyConfig : step,
      step,
      state: leafState(graphState, step),
      columns,
      rowsCommitted: progressState.steps[step]?.rows.out ?? 0,
      batches: progressState.steps[step]?.batches ?? { succeeded: 0, failed: 0, running: 0 },
      sourceShare: source?.count ? Math.min(1, source.rows.in / source.count) : null,
      losses: errorsState.groups.filter((group) => group.kind !== 'attempt' && ancestors.includes(group.step)),
      rows: () => rowsIn(blocks(), names),
      blocks,
    };
  };
  const all = wanted.map(configOf);
  const isIncluded = ({ state }: DistisetConfig) => include === 'committed' || state === 'finished' || state === 'partial';
  return {
    runId,
    pipeline: manifest.pipeline,
    asOf,
    startedAt: started.recordedAt,
    status: graphState.status,
    seed,
    params: params,
    program,
    signature: manifest.signature,
    definitions,
    include,
    steps: steps ?? null,
    configs: all.filter(isIncluded),
    leftOut: all.filter((config) => !isIncluded(config)).map(({ name, step, state }) => ({ name, step, state })),
  };
}
