import { sql } from 'kysely';

/**
 * Repeats the condition of index `events_rare`. All types are rare except starts, journals and successes of batches. Of these types, events with a version
 * above 1 are rare: those whose spans list rows, and those of a later program.
 */
export const isRare = sql<boolean>`(type not in ('BatchStarted', 'BatchProgressed', 'BatchSucceeded') or version > 1)`;
