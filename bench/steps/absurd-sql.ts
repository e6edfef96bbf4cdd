import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** absurd's tables and functions come with its command-line tool, a Python package, and not with its npm package. */
const folder = fileURLToPath(new URL('../peers/python', import.meta.url));
const printSql = 'import absurdctl; print(absurdctl.BUNDLED_SCHEMA_SQL)';

/** The SQL that absurd has to find in its database, or null where it is not installed. */
export function absurdSql(): string | null {
  const { status, stdout } = spawnSync('python3', ['-c', printSql], { env: { ...process.env, PYTHONPATH: folder }, encoding: 'utf8' });
  return status === 0 ? stdout : null;
}

/** Why there is no such SQL here; undefined if there is. */
export const missingAbsurdSql = (): string | undefined =>
  absurdSql() === null ? 'pip install --no-deps --target bench/peers/python absurdctl==0.5.0' : undefined;
