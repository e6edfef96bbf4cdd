/**
 * Writes so many copies of a run straight into the tables, a second apart and each newer than the last, as `RUN-1`, `RUN-2` …: thousands are there in a moment.
 * Their hash chains are the original's, so they can be read but not verified. `sql` runs as the owner.
 */
export async function copyRun(sql: (text: string) => Promise<unknown>, runId: string, copies: number): Promise<void> {
  const id = (log: string) => `replace(${log}, '${runId}', '${runId}-' || n)`;
  const later = (at: string) => `${at} + n * interval '1 second'`;
  const each = `generate_series(1, ${copies}) as n where log_id in ('${runId}', '${runId}/side')`;
  await sql(`
    insert into distilog.heads
      select ${id('log_id')}, position, ${later('recorded_at')}, epoch, hash from distilog.heads, ${each};
    insert into distilog.events
      select ${id('log_id')}, position, ${later('recorded_at')}, type, version, pass, step, batch, attempt, chunks, data, leaf from distilog.events, ${each};
    insert into distilog.commits
      select ${id('log_id')}, first, last, ${later('recorded_at')}, clock, append_id, epoch, writer, root, hash from distilog.commits, ${each}`);
  await sql('vacuum analyze distilog.heads, distilog.events, distilog.commits');
}
