/** A part of the product that is mutated, and the tests that must notice: in memory, without a server or other processes. */
interface Room {
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  /** Threads start faster. Tests that change the time zone need a process of their own. */
  readonly pool: 'threads' | 'forks';
}

export const rooms: Readonly<Record<string, Room>> = {
  projections: {
    mutate: ['projections/**/*.ts'],
    tests: ['test/unit/projections/*.test.ts', 'test/unit/scheduler/*.test.ts'],
    pool: 'threads',
  },
  scheduler: {
    mutate: ['src/scheduler/*.ts'],
    tests: ['test/unit/scheduler/*.test.ts', 'test/unit/engine/names.test.ts'],
    pool: 'threads',
  },
  log: {
    mutate: ['src/log/*.ts', '!src/log/as-of.ts', '!src/log/end-of-unit.ts'],
    tests: ['test/unit/log/!(as-of).test.ts', 'test/contract/memory-store.test.ts'],
    pool: 'threads',
  },
  'as-of': {
    mutate: ['src/log/as-of.ts', 'src/log/end-of-unit.ts'],
    tests: ['test/unit/log/as-of.test.ts'],
    pool: 'forks',
  },
  distiset: {
    // What makes datasets of a log, and what types their columns have; how files are written is tested by reading them.
    mutate: ['src/distiset/*.ts', 'src/distiset/writers/{column-type,features,parquet-columns,row-text}.ts'],
    tests: ['test/unit/distiset/!(any-columns).test.ts', 'test/unit/distiset/writers/{column-type,csv,round-trip,write-distiset}.test.ts'],
    pool: 'threads',
  },
};

/** The variable that passes the mutated room to the configurations. */
export const roomVariable = 'DISTILOG_MUTANTS_ROOM';

/** Returns the room that is being mutated. */
export function chosenRoom(): Room & { readonly name: string } {
  const name = process.env[roomVariable] ?? '';
  const room = rooms[name];
  if (!room) throw new Error(`${roomVariable} names no room: ${Object.keys(rooms).join(', ')}`);
  return { ...room, name };
}
