import { spawnSync } from 'node:child_process';
import { interpreter } from '../python.ts';

/** Prints absurd's SQL. It comes with absurd's command-line tool, a Python package, not with the npm package. */
const printSql = 'import absurdctl; print(absurdctl.BUNDLED_SCHEMA_SQL)';

/** Returns the SQL that absurd needs in its database, or null if its tool is not installed. */
export function absurdSql(): string | null {
  const { status, stdout } = spawnSync(interpreter, ['-c', printSql], { encoding: 'utf8' });
  return status === 0 ? stdout : null;
}
