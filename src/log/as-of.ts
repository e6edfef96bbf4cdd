import { Fault } from '#kit/fault';
import type { Instant } from '#kit/instant';
import type { AsOf, EventLog } from './event-log.ts';

/** What somebody asked for: a place, or a time that is resolved to one, once. */
export type ParsedAsOf =
  | { readonly kind: 'head' }
  | { readonly kind: 'position'; readonly position: number }
  | { readonly kind: 'instant'; readonly instant: Instant };

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const timePattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * Reads an AS-OF: `head`, a position (`1234`), a time ago (`90s`, `5m`, `2h`, `1d`), or an ISO time, in the local zone unless it names one. A time
 * coarser than a microsecond means the end of its unit: `10:00` is 10:00:59.999999, a date alone the end of that day. Throws `Fault('not-an-as-of')`.
 */
export function parseAsOf(text: string, now: Instant): ParsedAsOf {
  const asked = text.trim();
  if (asked === 'head') return { kind: 'head' };
  if (/^\d{1,15}$/.test(asked)) return { kind: 'position', position: Number(asked) };
  const ago = /^(\d{1,9})(ms|s|m|h|d)$/.exec(asked);
  if (ago) return { kind: 'instant', instant: now - Number(ago[1]) * (unitsMs[ago[2] ?? ''] ?? 0) * 1_000 };
  const instant = endOfUnit(asked);
  if (instant !== null) return { kind: 'instant', instant };
  throw new Fault(
    'not-an-as-of',
    `"${text}" is no place in a log: give a position (1234), a time (2026-11-24T10:30), a time ago (5m) or head.`,
  );
}

function endOfUnit(text: string): Instant | null {
  const match = timePattern.exec(text);
  if (!match) return null;
  const [, year = '', month = '', day = '', hour, minute, second, fraction, zone] = match;
  const micros = fraction === undefined ? 999_999 : Number(fraction.padEnd(6, '9'));
  const fields = [Number(year), Number(month) - 1, Number(day), Number(hour ?? 23), Number(minute ?? 59), Number(second ?? 59)] as const;
  const utc = Date.UTC(...fields);
  const [, m, d, h, min, s] = fields;
  const read = new Date(utc);
  // A field beyond its range would roll over into the next unit: the 31st of February is no day.
  if (read.getUTCMonth() !== m || read.getUTCDate() !== d || h > 23 || min > 59 || s > 59) return null;
  if (zone === undefined) return new Date(...fields).getTime() * 1_000 + micros;
  return (utc - offsetMs(zone)) * 1_000 + micros;
}

function offsetMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const digits = zone.replace(':', '');
  return (digits.startsWith('-') ? -1 : 1) * (Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5))) * 60_000;
}

/**
 * The position that an AS-OF means in a log, with its time and hash. Throws `Fault('unknown-run')`, `Fault('as-of-before-start')` and
 * `Fault('as-of-beyond-head')`.
 */
export async function resolveAsOf(log: EventLog, logId: string, asked: ParsedAsOf): Promise<AsOf> {
  const head = await log.head(logId);
  const first = await log.asOf(logId, 1);
  if (!head || !first) throw new Fault('unknown-run', `There is no run ${logId} in this store.`, { details: { run: logId } });
  const position = await positionOf(log, logId, asked, head.position);
  if (position < 1) {
    throw new Fault(
      'as-of-before-start',
      `Run ${logId} has no event by then: its first, position 1, was recorded at ${first.recordedAt}.`,
      {
        details: { run: logId, first: first.recordedAt },
      },
    );
  }
  const resolved = await log.asOf(logId, position);
  if (!resolved) {
    throw new Fault(
      'as-of-beyond-head',
      `Run ${logId} has no position ${position}: its last is ${head.position}, recorded at ${head.recordedAt}.`,
      {
        details: { run: logId, position, head: head.position },
      },
    );
  }
  return resolved;
}

async function positionOf(log: EventLog, logId: string, asked: ParsedAsOf, head: number): Promise<number> {
  switch (asked.kind) {
    case 'head':
      return head;
    case 'position':
      return asked.position;
    case 'instant':
      return log.positionAt(logId, asked.instant);
  }
}
