import { isDeepStrictEqual } from 'node:util';
import { checkSnapshots, runLogId, verify } from '../../../src/log/index.ts';
import type { Arena } from './arena.ts';
import { folds, lookAt, type ConfigLook, type Look } from './look.ts';

/** The end of a log, as a client outside the store saw it. */
export interface Witnessed {
  readonly position: number;
  readonly hash: string;
}

export interface Expected {
  readonly configs: readonly ConfigLook[];
  readonly witnessed: readonly Witnessed[];
  readonly looks: readonly Look[];
}

/** The number of checked events and snapshots, for the figures. */
export interface Held {
  readonly events: number;
  readonly snapshots: number;
}

/** Checks every invariant of a run, however it ended. Throws an `Error` that lists the broken ones. */
export async function checkRun(arena: Arena, runId: string, { configs, witnessed, looks }: Expected): Promise<Held> {
  const { store, sql } = arena;
  const broken: string[] = [];
  const none = async (what: string, text: string) => {
    const rows = await sql(text, [runId]);
    if (rows.length > 0) broken.push(`${what}: ${JSON.stringify(rows.slice(0, 3))}`);
  };
  await none(
    'more than one success of a batch',
    `select pass, step, batch from distilog.events where log_id = $1 and type = 'BatchSucceeded' group by 1, 2, 3 having count(*) > 1`,
  );
  await none(
    'more than one end of an attempt',
    `select pass, step, batch, attempt from distilog.events
      where log_id = $1 and type in ('BatchSucceeded', 'BatchFailed', 'BatchAbandoned') group by 1, 2, 3, 4 having count(*) > 1`,
  );
  await none(
    'an end without a start',
    `select pass, step, batch, attempt, position from distilog.events e where log_id = $1 and type in ('BatchSucceeded', 'BatchAbandoned')
        and not exists (select from distilog.events s where s.log_id = e.log_id and s.type = 'BatchStarted' and s.position < e.position
                           and (s.pass, s.step, s.batch, s.attempt) = (e.pass, e.step, e.batch, e.attempt))`,
  );
  await none(
    'a gap between positions',
    `select * from (select position, row_number() over (order by position) as place from distilog.events where log_id = $1) e where position <> place`,
  );
  await none(
    'a head that is not the last position',
    `select h.position, e.last from distilog.heads h, (select coalesce(max(position), 0) as last from distilog.events where log_id = $1) e
      where h.log_id = $1 and h.position <> e.last`,
  );
  await none(
    'appends out of order, or a time that does not increase',
    `select * from (select first, last, recorded_at, lag(last, 1, 0) over w as before, lag(recorded_at) over w as at, lag(epoch) over w as was, epoch
                      from distilog.commits where log_id = $1 window w as (order by first)) c
      where first <> before + 1 or recorded_at <= at or epoch < was`,
  );
  await none(
    'an event after the end',
    `select * from (select position, type, lag(type) over (order by position) as before from distilog.events where log_id = $1) e
      where before = 'RunFinished' and type <> 'RunReopened'`,
  );
  await none(
    'an epoch with two writers',
    `select epoch, array_agg(distinct writer) as writers from distilog.commits where log_id = $1 group by epoch having count(distinct writer) > 1`,
  );
  const known = new Map(
    (
      await sql<{ last: string; hash: string }>(
        `select last, encode(hash, 'hex') as hash from distilog.commits where log_id = $1 order by first`,
        [runId],
      )
    ).map(({ last, hash }) => [Number(last), hash]),
  );
  const lost = witnessed.filter(({ position, hash }) => known.get(position) !== hash);
  if (lost.length > 0) broken.push(`acknowledged but not stored: ${JSON.stringify(lost.slice(0, 3))} of ${lost.length}`);

  const verified = await verify(store, runLogId(runId), { expectedHead: witnessed.at(-1)?.hash });
  if (!verified.ok) broken.push(`verify: ${JSON.stringify(verified.firstBad)}`);
  const checked = await checkSnapshots(store, folds, runLogId(runId));
  if (checked.firstDifference) broken.push(`a snapshot that differs from its events: ${JSON.stringify(checked.firstDifference)}`);
  const now = await lookAt(store, runId);
  if (!isDeepStrictEqual(now.configs, configs))
    broken.push(`rows that differ from those of the undisturbed run: ${JSON.stringify(now.configs)}, not ${JSON.stringify(configs)}`);
  for (const look of looks) {
    const again = await lookAt(store, runId, look.position);
    if (!isDeepStrictEqual(again, look))
      broken.push(`an earlier position has changed: ${JSON.stringify(again)}, and was ${JSON.stringify(look)}`);
  }
  if (broken.length > 0) throw new Error(`run ${runId}: ${broken.join('\n  ')}`);
  return { events: verified.events, snapshots: checked.snapshots };
}
