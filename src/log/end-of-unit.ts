import type { Instant } from '../kit/instant.ts';

const timePattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?)?\s*(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;

/**
 * The last microsecond that an ISO time can mean, in the local zone unless it names one: the end of the day for a date, of the minute for `10:00`. Where
 * clocks are set back and a local time comes twice, that is the second one; where they are set forward and it never comes, it is counted on from the
 * hour before. Null for what is no time.
 */
export function endOfUnit(text: string): Instant | null {
  return instantOf(text, { hour: '23', minute: '59', second: '59', digit: '9', ofTwo: Math.max });
}

/** The first microsecond that an ISO time can mean, read as `endOfUnit` reads it. Of a local time that comes twice, the first one. */
export function startOfUnit(text: string): Instant | null {
  return instantOf(text, { hour: '00', minute: '00', second: '00', digit: '0', ofTwo: Math.min });
}

/** What stands for the parts of a time that are left out, and which of two times that look alike is meant. */
interface LeftOut {
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
  readonly digit: string;
  readonly ofTwo: (...times: readonly number[]) => number;
}

function instantOf(text: string, leftOut: LeftOut): Instant | null {
  const match = timePattern.exec(text);
  if (!match) return null;
  const [, year, month, day, hour = leftOut.hour, minute = leftOut.minute, second = leftOut.second, fraction = '', zone] = match;
  const utcMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes 24:00, and rolls the 31st of February over into March.
  if (Number.isNaN(utcMs) || new Date(utcMs).toISOString().slice(8, 13) !== `${day}T${hour}`) return null;
  const atMs = zone === undefined ? localMs(utcMs, leftOut.ofTwo) : utcMs - offsetMs(zone);
  return Math.max(0, atMs * 1_000 + Number(fraction.padEnd(6, leftOut.digit)));
}

const dayMs = 86_400_000;

/** The time at which local clocks show what UTC ones do at `utcMs`. */
function localMs(utcMs: number, ofTwo: LeftOut['ofTwo']): number {
  // No zone changes its clocks twice within two days.
  const [before, after] = [utcMs - dayMs, utcMs + dayMs].map((nearMs) => utcMs - localOffsetMs(nearMs)) as [number, number];
  const shown = [before, after].filter((atMs) => atMs + localOffsetMs(atMs) === utcMs);
  return shown.length > 0 ? ofTwo(...shown) : before;
}

const localOffsetMs = (atMs: number): number => -new Date(atMs).getTimezoneOffset() * 60_000;

function offsetMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = [zone.slice(1, 3), zone.slice(3).replace(':', '') || '0'];
  return (zone.startsWith('-') ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
