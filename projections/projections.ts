import { errors } from './errors.ts';
import { graph } from './graph/graph.ts';
import { progress } from './progress.ts';
import type { Projection } from './projection.ts';
import { timeline } from './timeline.ts';
import { usage } from './usage.ts';

/** Every projection of a run's log. A driver takes snapshots of each. */
export const projections: readonly Projection<unknown>[] = [graph, progress, errors, usage, timeline];
