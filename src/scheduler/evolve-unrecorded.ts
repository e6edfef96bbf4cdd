import { graph, type GraphState } from '../../projections/index.ts';
import type { NewEvent, RecordedEvent } from '../../schema/index.ts';
import type { BatchEnd } from './worker-port.ts';

/** Returns the graph after an end that is not recorded yet. A failure is ignored until it is recorded, because its delay begins then. */
export const evolveUnrecorded = (state: GraphState, event: BatchEnd['event']): GraphState =>
  event.type === 'BatchFailed' ? state : graph.evolve(state, asRecorded(event));

/** Returns an event in the shape in which it is folded. */
const asRecorded = (event: NewEvent): RecordedEvent =>
  ({ ...event, logId: '', position: 0, recordedAt: '', chunks: event.chunks ?? [] }) as unknown as RecordedEvent;
