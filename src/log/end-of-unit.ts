import type { Instant } from '../kit/instant.ts';

const timePattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?)?\s*(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;

/**
 * Returns the last microsecond that an ISO time can mean, or null for other text. A date means the end of its day, and `10:00` the end of its minute. The
 * time is in the local zone unless it names one. When clocks are set back and a local time occurs twice, it is the second one. When they are set forward
 * and it never occurs, it is extrapolated from the hour before.
 */
export function endOfUnit(text: string): Instant | null {
  return parseTime(text, { hour: '23', minute: '59', second: '59', digit: '9', choose: Math.max });
}

/** Returns the first microsecond that an ISO time can mean, or null for other text. A local time that occurs twice is the first one. */
export function startOfUnit(text: string): Instant | null {
  return parseTime(text, { hour: '00', minute: '00', second: '00', digit: '0', choose: Math.min });
}

/** Defaults for omitted parts of a time, and the choice between two times that local clocks show alike. */
interface Defaults {
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
  readonly digit: string;
  readonly choose: (...times: readonly number[]) => number;
}

function parseTime(text: string, defaults: Defaults): Instant | null {
  const match = timePattern.exec(text);
  if (!match) return null;
  const [, year, month, day, hour = defaults.hour, minute = defaults.minute, second = defaults.second, fraction = '', zone] = match;
  const utcMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse accepts 24:00, and turns the 31st of February into a day in March.
  if (Number.isNaN(utcMs) || new Date(utcMs).toISOString().slice(8, 13) !== `${day}T${hour}`) return null;
  const atMs = zone === undefined ? localMs(utcMs, defaults.choose) : utcMs - offsetMs(zone);
  return Math.max(0, atMs * 1_000 + Number(fraction.padEnd(6, defaults.digit)));
}

const dayMs = 86_400_000;

/** Returns the time at which local clocks show what UTC clocks show at `utcMs`. */
function localMs(utcMs: number, ofTwo: Defaults['choose']): number {
  // No zone changes its clocks twice within two days.
  const [before, after] = [utcMs - dayMs, utcMs + dayMs].map((nearMs) => utcMs - localOffsetMs(nearMs)) as [number, number];
  const matching = [before, after].filter((atMs) => atMs + localOffsetMs(atMs) === utcMs);
  return matching.length > 0 ? ofTwo(...matching) : before;
}

const localOffsetMs = (atMs: number): number => -new Date(atMs).getTimezoneOffset() * 60_000;

function offsetMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = [zone.slice(1, 3), zone.slice(3).replace(':', '') || '0'];
  return (zone.startsWith('-') ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
