import { describe, it } from 'vitest';
import { memoryStore } from '../../src/log/index.ts';
import { testDatabase } from '../postgres/server.ts';
import { checkLogModel } from './log-model.ts';

const seed = Number(process.env['DISTILOG_SEED'] ?? 1);
const database = await testDatabase();

describe('a log with random commands', () => {
  it('in memory equals its model', () => checkLogModel(memoryStore(), { seed, runs: 150 }));
  it('on PostgreSQL equals its model', async () => checkLogModel(await database.store(), { seed, runs: 12 }));
});
