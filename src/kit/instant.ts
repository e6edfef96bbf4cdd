/** Microseconds since 1970-01-01T00:00:00Z: far below 2^53 until the year 2255, so a number holds it exactly. */
export type Instant = number & { readonly __unit?: 'microseconds' };

/** An instant as text, always in UTC and with six decimals: `2026-11-24T09:30:00.000001Z`. Texts sort by time. */
export type Timestamp = string;

/** Returns an instant as text, such as `2026-11-24T09:30:00.000001Z`. */
export function formatInstant(instant: Instant): Timestamp {
  const milliseconds = Math.floor(instant / 1000);
  const micros = instant - milliseconds * 1000;
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

/** Returns the instant of a timestamp that `formatInstant` (or PostgreSQL, in UTC) wrote. Digits after the sixth decimal are dropped. */
export function parseInstant(timestamp: Timestamp): Instant {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(timestamp);
  const seconds = match ? Date.parse(`${match[1]}Z`) : Number.NaN;
  if (Number.isNaN(seconds)) throw new RangeError(`not a UTC timestamp: ${timestamp}`);
  return seconds * 1000 + Number((match?.[2] ?? '').padEnd(6, '0').slice(0, 6));
}
