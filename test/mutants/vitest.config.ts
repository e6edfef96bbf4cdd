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
    // There are many mutants, so each gets fewer random worlds.
    env: { DISTILOG_SEEDS: '15' },
  },
});
