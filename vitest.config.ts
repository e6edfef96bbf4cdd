import { defineConfig } from 'vitest/config';

const conditions = ['distilog-source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Where the global set-up runs: without it, that takes what was last built in place of the sources.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Two processes at most: most tests talk to one PostgreSQL, and many start children of their own.
    maxWorkers: 2,
    execArgv: ['--conditions=distilog-source'],
  },
});
