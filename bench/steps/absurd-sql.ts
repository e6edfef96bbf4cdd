import { spawnSync } from 'node:child_process';
import { interpreter } from '../python.ts';

/** absurd's tables and functions come with its command-line tool, a Python package, and not with its npm package. */
const printSql = 'import absurdctl; print(absurdctl.BUNDLED_SCHEMA_SQL)';

/** The SQL that absurd has to find in its database, or null where it is not installed. */
export function absurdSql(): string | null {
  const { status, stdout } = spawnSync(interpreter, ['-c', printSql], { encoding: 'utf8' });
  return status === 0 ? stdout : null;
}
