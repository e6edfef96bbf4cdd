import type { World } from '../../unit/engine/random-pipeline.ts';

type Step = World['steps'][number];

const step = (
  name: string,
  operator: Step['operator'],
  upstream: readonly string[],
  columns: readonly string[] = [],
  batchSize?: number,
): Step => ({
  name,
  operator,
  upstream,
  columns,
  batchSize,
});

/** Operators that make one row of many. The rejected rows of steps above them cannot be retried. */
const gatherers = ['batch', 'global'];
/** The number of rows of a short run, and of one with more than a thousand events. */
const items = { short: 12, long: 70 };
/** The length of a short run's texts. Their chunks are too large to be inline, so they are stored separately. */
const textLength = 300_000;

interface EveryOperator {
  readonly seed: number;
  readonly isRetried: boolean;
  readonly isLong: boolean;
}

/** Returns a world with every operator. Long worlds also store snapshots. Retried worlds lack the operators that gather rows, because those prevent a retry. */
export function everyOperator({ seed, isRetried, isLong }: EveryOperator): World {
  const steps = [
    step('source', 'source', [], [], 1),
    step('map', 'map', ['source']),
    step('replace', 'replace', ['map'], ['map']),
    step('filter', 'filter', ['map']),
    step('route', 'route', ['map']),
    step('join', 'join', ['replace', 'filter'], ['of', 'map']),
    step('union', 'union', ['route-left', 'route-right', 'filter']),
    step('nonNull', 'nonNull', ['union'], ['map']),
    step('mapBatch', 'mapBatch', ['nonNull'], [], 3 + (seed % 4)),
    step('drop', 'drop', ['mapBatch'], ['of']),
    step('rename', 'rename', ['drop'], ['map']),
    step('flatMap', 'flatMap', ['rename']),
    step('select', 'select', ['flatMap'], ['n', 'flatMap', 'mapBatch']),
    step('batch', 'batch', ['select'], [], 4 + (seed % 5)),
    step('global', 'global', ['join']),
  ];
  return {
    seed,
    items: isLong ? items.long : items.short,
    ...(isLong ? {} : { textLength }),
    isRepaired: false,
    steps: isRetried ? steps.filter(({ operator }) => !gatherers.includes(operator)) : steps,
  };
}
