import { sql } from 'kysely';

/**
 * Repeats the condition of index `events_rare`. All types are rare but starts, journals and successes of batches. Of these, events of a version above 1 are
 * rare: those whose spans list rows, and those of a later program.
 */
export const isRare = sql<boolean>`(type not in ('BatchStarted', 'BatchProgressed', 'BatchSucceeded') or version > 1)`;
