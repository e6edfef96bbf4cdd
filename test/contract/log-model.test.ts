import { describe, it } from 'vitest';
import { memoryStore } from '../../src/log/index.ts';
import { testDatabase } from '../postgres/server.ts';
import { checkLogModel } from './log-model.ts';

const seed = Number(process.env['DISTILOG_SEED'] ?? 1);
const database = await testDatabase();

describe('a log that is written to at random', () => {
  it('in memory is what was written down beside it', () => checkLogModel(memoryStore(), { seed, runs: 150 }));
  it('on PostgreSQL is what was written down beside it', async () => checkLogModel(await database.store(), { seed, runs: 12 }));
});
