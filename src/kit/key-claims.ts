import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** KiB of the database that are kept in memory. The rest is in a temporary file. */
const cacheKibMax = 8 * 1024;
/** Bytes of a key's SHA-256 that identify it: among 2^40 keys, a collision is as unlikely as a broken disk. */
const hashBytes = 16;

/**
 * Remembers which number claimed each key first, in bounded memory. The rest is in a temporary file without a name, so that nothing is left behind however
 * the process ends.
 */
export class KeyClaims {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;

  constructor() {
    const { DatabaseSync: Database } = sqlite();
    // A database without a name is a temporary file, created once the cache is full. One transaction that never ends: its content has no use afterwards.
    this.#database = new Database('');
    this.#database.exec(
      `pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -${cacheKibMax};
       create table claims (key blob primary key, number integer not null) without rowid; begin`,
    );
    this.#insert = this.#database.prepare('insert or ignore into claims values (?, ?)');
    this.#find = this.#database.prepare('select number from claims where key = ?');
  }

  /** Claims a key for a number, unless another number has it. Returns the number that has it now. Throws if the disk is full. */
  claim(key: string, number: number): number {
    const short = hash('sha256', key, 'buffer').subarray(0, hashBytes);
    if (this.#insert.run(short, number).changes === 1) return number;
    return this.#find.get(short)?.['number'] as number;
  }

  close(): void {
    this.#database.close();
  }
}

/** Loads SQLite without the warning that some versions of Node print: only stable parts of it are used. */
function sqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
