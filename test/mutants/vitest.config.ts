import { defineConfig } from 'vitest/config';
import { chosenRoom } from './rooms.ts';

const conditions = ['distilog-source'];
const { tests, pool } = chosenRoom();

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [...tests],
    testTimeout: 20_000,
    pool,
    isolate: false,
    maxWorkers: 1,
    execArgv: ['--conditions=distilog-source'],
    // Mutants are many: fewer random worlds each.
    env: { DISTILOG_SEEDS: '15' },
  },
});
