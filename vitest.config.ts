import { defineConfig } from 'vitest/config';

const conditions = ['distilog-source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Two processes at most: most tests talk to one PostgreSQL, and many start children of their own.
    maxWorkers: 2,
    execArgv: ['--conditions=distilog-source'],
  },
});
