import type { RunEntry, RunSelection } from '../../log/index.ts';
import { holders } from '../driver-lock.ts';
import type { Reader } from '../reader.ts';
import { selectRuns } from './run-list.ts';

const runPageSize = 200;

/** Reads the runs that fit a selection with their drivers, newest first, in pages of at most `pageMax`. */
export async function* readRuns(
  { query }: Reader,
  { pageMax = runPageSize, ...selection }: RunSelection & { readonly pageMax?: number | undefined } = {},
): AsyncGenerator<readonly RunEntry[]> {
  for (let { before } = selection; ; ) {
    const page = await query((database) => selectRuns(database, { ...selection, before }, pageMax));
    if (page.length === 0) return;
    const runIds = page.map(({ runId }) => runId);
    const holderByRun = await query((database) => holders(database, runIds));
    yield page.map((entry) => ({ ...entry, holder: holderByRun.get(entry.runId) ?? null }));
    if (page.length < pageMax) return;
    before = page.at(-1);
  }
}
