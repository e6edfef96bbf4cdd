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

/** Makes one row of many: above these no row can be tried again. */
const gatherers = ['batch', 'global'];
/** Rows of a run that is over soon, and of one that has more than a thousand events. */
const items = { short: 12, long: 70 };
/** Of a short run's source: more than an event brings along, so that its chunks are stored by themselves. */
const textLength = 300_000;

interface EveryOperator {
  readonly seed: number;
  readonly isRetried: boolean;
  readonly isLong: boolean;
}

/** A world of every operator; snapshots are kept of its runs where it is long. Without the operators that gather rows, its rejected ones can be tried again. */
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
    mended: false,
    steps: isRetried ? steps.filter(({ operator }) => !gatherers.includes(operator)) : steps,
  };
}
