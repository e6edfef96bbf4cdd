import type { TestDatabase } from './server.ts';

/** The run of a long log. */
export const runId = 'long';

/** Writes a log of so many batches of four steps, two events each, straight into the tables: as long as it is, it is there in a moment. */
export async function writeLongLog(database: TestDatabase, batches: number): Promise<void> {
  await database.sql(`
    insert into distilog.heads values ('${runId}', ${batches * 2}, now(), 1, '');
    insert into distilog.events
      select '${runId}', 2 * n + k, now(), case k when 1 then 'BatchStarted' else 'BatchSucceeded' end, 1, 1, 'step' || n % 4, n / 4, 1, '{}',
             case k when 1 then '{"inputs":[],"offset":0,"rows":1,"worker":"w","alone":false}'
                    else '{"inputs":[],"rowsIn":1,"rows":1,"chunkRows":[1],"bytes":1,"rejected":{"count":0,"codes":{},"rows":[],"inChunk":false},"elapsedMs":1,"usage":[],"calls":0,"source":null,"undeclared":[],"missing":[]}' end, ''
        from generate_series(0, ${batches - 1}) as n, generate_series(1, 2) as k;
    insert into distilog.commits
      select '${runId}', n, n, timestamptz '2026-01-01' + n * interval '1 second', now(), n::text, 1, 'w', '', '' from generate_series(1, ${batches * 2}) as n;
    insert into distilog.snapshots
      select '${runId}', p, 1, 'f', n * 1000, '{}', n * 1000 + 1 from generate_series(1, ${Math.floor(batches / 500)}) as n, unnest(array['graph', 'usage']) as p;
    insert into distilog.snapshots select 'other' || n % 40, 'graph', 1, 'f', n, '{}', n + 1 from generate_series(1, 4000) as n`);
  await database.sql('vacuum analyze distilog.events, distilog.commits, distilog.snapshots');
}
