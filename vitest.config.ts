import { defineConfig } from 'vitest/config';

/** Tests that talk to nothing outside of their process. */
const pure = ['test/unit/**/*.test.ts', 'test/types/*.test.ts'];
/** Those of them that need a process of their own: they measure its heap, change its time zone, or take its timers' place. */
const alone = [
  'test/unit/log/{appender,as-of}.test.ts',
  'test/unit/worker/{finished-rows,journal-clock}.test.ts',
  'test/unit/rows/{bounded-cache,chunk-codec,row-reader}.test.ts',
  'test/unit/distiset/writers/gathered-column.test.ts',
];

export default defineConfig({
  test: {
    // They end a test that hangs. How long one takes depends on what else the machine does.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // Two processes at most: most tests talk to one PostgreSQL, and many start children of their own.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'pure', include: pure, exclude: alone, isolate: false } },
      { extends: true, test: { name: 'alone', include: alone } },
      {
        extends: true,
        test: { name: 'whole', include: ['test/**/*.test.ts'], exclude: [...pure, ...alone], globalSetup: ['test/global-setup.ts'] },
      },
    ],
  },
});
