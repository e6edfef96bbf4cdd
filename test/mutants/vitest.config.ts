import { defineConfig } from 'vitest/config';
import { chosenRoom } from './rooms.ts';

const { tests, pool } = chosenRoom();

export default defineConfig({
  test: {
    include: [...tests],
    testTimeout: 20_000,
    pool,
    isolate: false,
    maxWorkers: 1,
    // Mutants are many: fewer random worlds each.
    env: { DISTILOG_SEEDS: '15' },
  },
});
