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
import { beginning } from './beginning.ts';
import { onlyConfig } from './config-names.ts';
import { definitionPeriods, type DefinitionPeriod } from './definition-periods.ts';
import { ancestry, leafState, type LeafState } from './leaf-state.ts';
import { leafBlocks, rowsIn, type RowBlock } from './row-blocks.ts';

/** One config of a distiset: what a leaf has delivered. */
export interface DistisetConfig {
  /** `default` if the pipeline has one leaf, else the step's name: the same for a partial and a final distiset. */
  readonly name: string;
  readonly step: string;
  readonly state: LeafState;
  readonly columns: Definition['steps'][number]['columns'];
  /** Rows that its successful batches have, as recorded; those beyond a failed batch are not taken. */
  readonly rowsCommitted: number;
  readonly batches: { readonly succeeded: number; readonly failed: number; readonly running: number };
  /** Share of the source's items that it has seen, from 0 to 1; null where the source does not say how many it has. */
  readonly sourceShare: number | null;
  /** Losses in the leaf and above it, by step and cause. */
  readonly losses: readonly ErrorGroup[];
  /** The rows in order, read from the store as they are iterated; each call starts anew. */
  rows(): AsyncIterable<JsonObject>;
  /** The same rows by column, some at a time: what takes less to make and to go through. */
  blocks(): AsyncIterable<RowBlock>;
}

/** The dataset of a run as of a position, with its metadata. */
export interface Distiset {
  readonly runId: string;
  readonly pipeline: string;
  readonly asOf: AsOf;
  readonly startedAt: string;
  /** How the run stood as of then. */
  readonly status: GraphState['status'];
  readonly seed: number;
  readonly params: JsonObject;
  readonly program: RecordedEvent<'RunStarted'>['data']['program'];
  readonly signature: string;
  /** The definitions under which rows were made up to then, in order, each with what it changed. */
  readonly definitions: readonly DefinitionPeriod[];
  readonly configs: readonly DistisetConfig[];
  /** Which of its leaves were asked for, and which steps instead of them. */
  readonly include: 'committed' | 'finished';
  readonly steps: readonly string[] | null;
  /** Leaves left out by `include: 'finished'`, and in which state they are. */
  readonly leftOut: readonly { readonly name: string; readonly step: string; readonly state: LeafState }[];
}

export interface DistisetOptions {
  readonly asOf: AsOf;
  /** `committed` (default): whatever has arrived. `finished`: only leaves that are finished, whole or partial. */
  readonly include?: 'committed' | 'finished' | undefined;
  /** Steps to show instead of the leaves; any step may be looked at. */
  readonly steps?: readonly string[] | undefined;
}

/**
 * The distiset of a run as of a position: in any state of the run, also while another process moves it, also when the pipeline's file is gone. Nothing
 * is read of rows before they are iterated. No leaf having rows is a valid, empty distiset. Throws `Fault('unknown-step')`.
 */
export async function createDistiset(
  store: Store,
  runId: string,
  { asOf, include = 'committed', steps }: DistisetOptions,
): Promise<Distiset> {
  const logId = runLogId(runId);
  const { position } = asOf;
  const first = await beginning(store, logId);
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
    const above = ancestry(graphState, step).map(([name]) => name);
    const columns = definition.steps.find(({ name }) => name === step)?.columns ?? [];
    const names = columns.map(({ name }) => name);
    const end = graphState.steps[step]?.end ?? null;
    const blocks = () => leafBlocks(store, { runId, step, steps: manifest.steps, columns: names, position, end });
    const source = above.map((name) => progressState.steps[name]).find((each) => each?.count !== undefined && each.count !== null);
    return {
      name: steps === undefined && leaves.length === 1 ? onlyConfig : step,
      step,
      state: leafState(graphState, step),
      columns,
      rowsCommitted: progressState.steps[step]?.rows.out ?? 0,
      batches: progressState.steps[step]?.batches ?? { succeeded: 0, failed: 0, running: 0 },
      sourceShare: source?.count ? Math.min(1, source.rows.in / source.count) : null,
      losses: errorsState.groups.filter((group) => group.kind !== 'attempt' && above.includes(group.step)),
      rows: () => rowsIn(blocks(), names),
      blocks,
    };
  };
  const all = wanted.map(configOf);
  const isTaken = ({ state }: DistisetConfig) => include === 'committed' || state === 'finished' || state === 'partial';
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
    configs: all.filter(isTaken),
    leftOut: all.filter((config) => !isTaken(config)).map(({ name, step, state }) => ({ name, step, state })),
  };
}
