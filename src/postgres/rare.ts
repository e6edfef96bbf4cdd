import { sql } from 'kysely';

/** What index `events_rare` holds, in its own words: all types but those of a batch's daily business, and all versions that this program does not write. */
export const isRare = sql<boolean>`(type not in ('BatchStarted', 'BatchProgressed', 'BatchSucceeded') or version > 1)`;
