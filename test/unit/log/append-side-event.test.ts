import { expect, it } from 'vitest';
import { appendSideEvent, memoryStore, sideLogId } from '../../../src/log/index.ts';
import { allOf, createRun, runId } from './log-fixture.ts';

const asked = { type: 'PauseRequested', data: { actor: { user: 'bob', host: 'laptop', pid: 2 }, message: 'enough' } } as const;

it('a side event has a position in the side log', async () => {
  const { log } = memoryStore();
  await createRun(log);
  expect(await appendSideEvent(log, runId, asked, 'bob@laptop:2')).toBe(1);
  expect(await appendSideEvent(log, runId, asked, 'bob@laptop:2')).toBe(2);
  expect(await allOf(log.read(sideLogId(runId)))).toMatchObject([{ position: 1, ...asked }, { position: 2 }]);
  expect(await log.lastWriter(sideLogId(runId))).toBe('bob@laptop:2');
  expect(await log.head(sideLogId(runId))).toMatchObject({ position: 2, epoch: 1 });
  expect(await log.lastWriter('another')).toBeNull();
});

it('a side event of an unknown run is refused', async () => {
  await expect(appendSideEvent(memoryStore().log, runId, asked, 'bob@laptop:2')).rejects.toMatchObject({
    code: 'unknown-log',
    message: expect.stringContaining(`side log of run ${runId} refused an event: there is no log`) as string,
    details: { run: runId },
  });
});
