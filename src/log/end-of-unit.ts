import type { Instant } from '#kit/instant';

const timePattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?)?\s*(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;

/**
 * The last microsecond that an ISO time can mean, in the local zone unless it names one: the end of the day for a date, of the minute for `10:00`. Where
 * clocks are set back and a local time comes twice, that is the second one; where they are set forward and it never comes, it is counted on from the
 * hour before. Null for what is no time.
 */
export function endOfUnit(text: string): Instant | null {
  const match = timePattern.exec(text);
  if (!match) return null;
  const [, year, month, day, hour = '23', minute = '59', second = '59', fraction = '', zone] = match;
  const utcMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes 24:00, and rolls the 31st of February over into March.
  if (Number.isNaN(utcMs) || new Date(utcMs).toISOString().slice(8, 13) !== `${day}T${hour}`) return null;
  const atMs = zone === undefined ? lastLocalMs(utcMs) : utcMs - offsetMs(zone);
  return Math.max(0, atMs * 1_000 + Number(fraction.padEnd(6, '9')));
}

const dayMs = 86_400_000;

/** The last time at which local clocks show what UTC ones do at `utcMs`. */
function lastLocalMs(utcMs: number): number {
  // No zone changes its clocks twice within two days.
  const [before, after] = [utcMs - dayMs, utcMs + dayMs].map((nearMs) => utcMs - localOffsetMs(nearMs)) as [number, number];
  const shown = [before, after].filter((atMs) => atMs + localOffsetMs(atMs) === utcMs);
  return shown.length > 0 ? Math.max(...shown) : before;
}

const localOffsetMs = (atMs: number): number => -new Date(atMs).getTimezoneOffset() * 60_000;

function offsetMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = [zone.slice(1, 3), zone.slice(3).replace(':', '') || '0'];
  return (zone.startsWith('-') ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
