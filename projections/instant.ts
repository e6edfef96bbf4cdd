/** Microseconds since 1970-01-01T00:00:00Z by the database's clock. Folds run in browsers, so this room has its own copy of the type in `src/kit`. */
export type Instant = number;

/** Returns the instant of an event's `recordedAt`. */
export function parseInstant(recordedAt: string): number {
  const seconds = Date.parse(`${recordedAt.slice(0, 19)}Z`);
  return seconds * 1000 + Number(recordedAt.slice(20, -1).padEnd(6, '0').slice(0, 6));
}
