import { sql, type Kysely, type RawBuilder } from 'kysely';
import { formatInstant } from '../../kit/instant.ts';
import { statusTypes, type RunEntry, type RunSelection } from '../../log/index.ts';
import type { Database } from '../database.ts';
import { isRare } from '../rare.ts';

/** Returns at most `limit` runs that fit a selection, newest first, without their drivers. */
export async function selectRuns(
  database: Kysely<Database>,
  selection: RunSelection,
  limit: number,
): Promise<readonly Omit<RunEntry, 'holder'>[]> {
  const { rows } = await sql<{
    log_id: string;
    position: number;
    hash: Buffer;
    recorded_at: string;
    epoch: number;
    started_at: string;
    pipeline: string | null;
  }>`
    select first.log_id, head.position, head.hash, head.recorded_at, head.epoch, first.recorded_at as started_at, ${pipelineName} as pipeline
      from "distilog"."events" as first join "distilog"."heads" as head on head.log_id = first.log_id
     where ${conditionOf(selection)}
     order by first.recorded_at desc, first.log_id desc
     limit ${limit}`.execute(database);
  return rows.map(({ log_id: logId, position, hash, recorded_at: recordedAt, epoch, started_at: startedAt, pipeline }) => ({
    runId: logId,
    pipeline: pipeline ?? '',
    startedAt,
    head: { logId, position, hash: hash.toString('hex'), recordedAt, epoch },
  }));
}

/** Returns how many runs fit a selection. */
export async function countRuns(database: Kysely<Database>, selection: RunSelection): Promise<number> {
  const { rows } = await sql<{ runs: number }>`
    select count(*) as runs from "distilog"."events" as first where ${conditionOf(selection)}`.execute(database);
  return rows[0]?.runs ?? 0;
}

/** Repeats the expression of index `events_runs_of_pipeline`. */
const pipelineName = sql<string | null>`first.data::jsonb -> 'manifest' ->> 'pipeline'`;

/** Returns the condition of a selection. Its first two parts repeat the conditions of the indexes `events_runs` and `events_runs_of_pipeline`. */
function conditionOf({ pipeline, since, until, before, standing }: RunSelection): RawBuilder<boolean> {
  const conditions = [sql<boolean>`first.position = 1`, sql<boolean>`first.log_id not like '%/side'`];
  if (since !== undefined) conditions.push(sql`first.recorded_at >= ${formatInstant(since)}::timestamptz`);
  if (until !== undefined) conditions.push(sql`first.recorded_at <= ${formatInstant(until)}::timestamptz`);
  if (before !== undefined) conditions.push(sql`(first.recorded_at, first.log_id) < (${before.startedAt}::timestamptz, ${before.runId})`);
  if (pipeline !== undefined) conditions.push(sql`${pipelineName} = ${pipeline}`);
  if (standing === 'open') conditions.push(sql`${newest(sql`type`)} not in ('RunCancelled', 'RunFinished')`);
  if (standing === 'lossy')
    conditions.push(sql`${newest(sql`case type when 'RunFinished' then data::jsonb ->> 'outcome' end`)} <> 'succeeded'`);
  return sql.join(conditions, sql` and `);
}

/** Returns SQL for an expression of the newest event that changes a run's status. */
const newest = (said: RawBuilder<unknown>): RawBuilder<string | null> => sql`
  (select ${said} from "distilog"."events" where log_id = first.log_id and ${isRare} and type in (${sql.join(statusTypes)})
    order by position desc limit 1)`;
