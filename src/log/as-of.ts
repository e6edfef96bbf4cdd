import { Fault } from '../kit/fault.ts';
import type { Instant } from '../kit/instant.ts';
import type { AsOf, EventLog } from './event-log.ts';
import { endOfUnit, startOfUnit } from './end-of-unit.ts';

/** A parsed AS-OF: the head, a position, or a time that is resolved once to a position. */
export type ParsedAsOf =
  | { readonly kind: 'head' }
  | { readonly kind: 'position'; readonly position: number }
  | { readonly kind: 'instant'; readonly instant: Instant };

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses an AS-OF: `head`, a position (`1234`), an age (`90s`, `5m`, `2h`, `1d`), or an ISO time, in the local zone unless it names one. A time
 * coarser than a microsecond means the end of its unit: `10:00` is 10:00:59.999999, and a date is the end of that day. Throws `Fault('not-an-as-of')`.
 */
export function parseAsOf(text: string, now: Instant): ParsedAsOf {
  const asked = text.trim();
  if (asked.toLowerCase() === 'head') return { kind: 'head' };
  if (/^\d{1,15}$/.test(asked)) return { kind: 'position', position: Number(asked) };
  const instant = parseAge(asked, now) ?? endOfUnit(asked);
  if (instant !== null) return { kind: 'instant', instant };
  throw new Fault(
    'not-an-as-of',
    `"${text}" is not a position or time. Write a position (1234), a time (2026-11-24T10:30), an age (5m) or head.`,
    { details: { text } },
  );
}

/** Parses the start of a range: an age or an ISO time as in an AS-OF, but a coarse time means the start of its unit. Throws `Fault('not-a-time')`. */
export function parseSince(text: string, now: Instant): Instant {
  const asked = text.trim();
  const instant = parseAge(asked, now) ?? startOfUnit(asked);
  if (instant !== null) return instant;
  throw new Fault('not-a-time', `"${text}" is not a time. Write a time (2026-11-24T10:30, 2026-11-24) or an age (5m, 2h, 1d).`, {
    details: { text },
  });
}

function parseAge(text: string, now: Instant): Instant | null {
  const ago = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (!ago) return null;
  const agoMs = Number(ago[1]) * (unitsMs[ago[2] ?? ''] ?? 0);
  // No log is older than 1970, and no database reads a year before the first.
  return Math.max(0, now - agoMs * 1_000);
}

/**
 * Resolves an AS-OF to a position of a log, and returns it with its time and hash. Throws `Fault('unknown-run')`, `Fault('as-of-before-start')` and
 * `Fault('as-of-beyond-head')`.
 */
export async function resolveAsOf(log: Pick<EventLog, 'head' | 'asOf' | 'positionAt'>, logId: string, asked: ParsedAsOf): Promise<AsOf> {
  const head = await log.head(logId);
  if (!head) throw new Fault('unknown-run', `There is no run ${logId} in this store.`, { details: { run: logId } });
  const position =
    asked.kind === 'head' ? head.position : asked.kind === 'position' ? asked.position : await log.positionAt(logId, asked.instant);
  if (position < 1) throw await beforeStartFault(log, logId);
  const resolved = await log.asOf(logId, position);
  if (resolved) return resolved;
  throw new Fault(
    'as-of-beyond-head',
    `Run ${logId} has no position ${position}: its last is ${head.position}, recorded at ${head.recordedAt}.`,
    { details: { run: logId, position, head: head.position } },
  );
}

async function beforeStartFault(log: Pick<EventLog, 'asOf'>, logId: string): Promise<Fault> {
  const first = await log.asOf(logId, 1);
  return new Fault(
    'as-of-before-start',
    first ? `Run ${logId} has no event by then: its first was recorded at ${first.recordedAt}.` : `Log ${logId} has no event yet.`,
    { details: { run: logId, first: first?.recordedAt ?? null } },
  );
}
