import { catalogue, type DataOf, type EventType } from './catalogue.ts';

/**
 * Returns the version under which an event is written: the lowest one that can hold its data. So earlier programs can read it, and the index of rare
 * events holds only starts and successes whose spans list rows.
 */
export function writtenVersion<T extends EventType>(type: T, data: DataOf<T>): number {
  if (type !== 'BatchStarted' && type !== 'BatchSucceeded') return catalogue[type].version;
  const { inputs } = data as DataOf<'BatchStarted' | 'BatchSucceeded'>;
  return inputs.some(({ rows }) => rows !== undefined) ? 2 : 1;
}
