import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { rowBuilder } from '../../../src/rows/index.ts';

const columns = ['b', '1', 'a "quoted"\u2028 one', 'constructor'];
const values = [
  [1, 2],
  ['x', 'y'],
  [null, [3]],
  [true, false],
];
const row = { b: 2, '1': 'y', 'a "quoted"\u2028 one': [3], constructor: false };

describe('rows that are built from columns', () => {
  it('have a member for each column, whatever its name, and are frozen', () => {
    const made = rowBuilder(columns)(values, 1);
    expect(made).toEqual(row);
    expect(Object.isFrozen(made)).toBe(true);
    expect(rowBuilder([])([], 7)).toEqual({});
  });

  it('are the same if code generation is disabled', () => {
    const program = `const { rowBuilder } = await import(${JSON.stringify(new URL('../../../src/rows/index.ts', import.meta.url).href)}); console.log(JSON.stringify(rowBuilder(${JSON.stringify(columns)})(${JSON.stringify(values)}, 1)))`;
    const flags = ['--disallow-code-generation-from-strings', '--no-warnings', '--input-type=module'];
    expect(JSON.parse(execFileSync(process.execPath, [...flags, '--eval', program], { encoding: 'utf8' }))).toEqual(row);
  });
});
