// Logs of released versions: this version reads, checks, folds, exports and resumes them.
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verifyDistiset } from '../../src/distiset/index.ts';
import { resumePipeline } from '../../src/engine/index.ts';
import { verify, type Store } from '../../src/log/index.ts';
import { plan, type Pipeline } from '../../src/pipeline/index.ts';
import { testDatabase } from '../postgres/server.ts';
import { expectationOf, exportedRows } from './expectation.ts';
import { cutAt, expectedOf, goldenFile, goldenLog, versions, type GoldenLog } from './golden-log.ts';
import { restoreInMemory, restoreInPostgres } from './restore.ts';

const cases = versions.flatMap((version) => Object.entries(expectedOf(version)).map(([name, expected]) => ({ version, name, expected })));
const interruptions = cases.flatMap(({ expected, ...of }) => (expected.interrupted ? [{ ...of, ...expected.interrupted }] : []));

const exportedBy = versions.flatMap((version) => fs.readdirSync(goldenFile(version, 'exports')).map((folder) => ({ version, folder })));

const stores: Readonly<Record<string, (golden: GoldenLog) => Promise<Store>>> = {
  memory: restoreInMemory,
  PostgreSQL: async (golden) => {
    const database = await testDatabase();
    await restoreInPostgres(golden, database.sql);
    return database.store();
  },
};

describe.each(Object.entries(stores))('in %s', (_store, restored) => {
  it.each(cases)('the log "$name" of version $version gives the recorded states and rows', async ({ version, name, expected }) => {
    const golden = goldenLog(version, name);
    const store = await restored(golden);
    for (const { head } of golden.logs) {
      expect(await verify(store, head.logId)).toMatchObject({ ok: true, events: head.position, head: { hash: head.hash }, unknown: null });
    }
    const { interrupted: _interrupted, ...states } = expected;
    expect(await expectationOf(store, golden.runId)).toEqual(states);
  });

  it.each(interruptions)(
    'the run "$name" of version $version goes on from where it was interrupted',
    async ({ version, name, at, resumed }) => {
      const golden = cutAt(goldenLog(version, name), at);
      const { runId } = golden;
      const store = await restored(golden);
      expect(await exportedRows(store, runId, await driveOn(store, version, runId))).toEqual(resumed);
      expect(await verify(store, runId)).toMatchObject({ ok: true });
    },
  );
});

describe.each(exportedBy)('the export $folder of version $version', ({ version, folder }) => {
  it('is verified, and the fields that it lacks are named', async () => {
    const [name = ''] = folder.split('-');
    const store = await restoreInMemory(goldenLog(version, name));
    const found = await verifyDistiset(store, goldenFile(version, `exports/${folder}`));
    expect(found).toMatchObject({ ok: true, runId: name, differences: [] });
    const namesOptions = /has neither the options of the export nor the definitions/;
    expect(found.unproven.some((each) => namesOptions.test(each))).toBe(version === '0.1.0');
  });
});

/** Resumes a run as its user would. Returns the position at which it ends. */
async function driveOn(store: Store, version: string, runId: string): Promise<number> {
  const { everyOperator } = (await import(`./${version}/pipelines.ts`)) as { everyOperator: (outside: object) => Pipeline };
  const of = plan(everyOperator({ isMended: false, slowMs: 0 }), { params: { items: 24 } });
  const run = await resumePipeline(store, of, { runId, seize: false, acceptedChanges: [], concurrency: {}, skip: [] });
  const { position } = await run.drive();
  return position;
}
