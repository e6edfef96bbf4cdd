import { chosenRoom } from './rooms.ts';

const { name, mutate, pool } = chosenRoom();

export default {
  mutate: [...mutate],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutants/vitest.config.ts', pool, related: false },
  coverageAnalysis: 'perTest',
  incremental: true,
  incrementalFile: `mutants/${name}.json`,
  concurrency: 2,
  reporters: ['progress-append-only', 'clear-text', 'json'],
  jsonReporter: { fileName: `mutants/${name}-report.json` },
  clearTextReporter: { logTests: false, reportTests: false },
  tempDirName: `mutants/.${name}`,
  timeoutMS: 3_000,
};
