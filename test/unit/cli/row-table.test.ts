import { describe, expect, it } from 'vitest';
import { createGrowingTable, renderRows } from '../../../src/cli/row-table.ts';
import { fitWidth, wrap } from '../../../src/cli/table.ts';

const paint = (_style: string, text: string) => text;
const columns = ['n', 'text', 'list', 'a-column-with-a-rather-long-name', 'last'];
const labelled = (n: number) => ({
  label: `step:${n}/0`,
  values: { n, text: 'words and '.repeat(n * 20), list: [1, { two: 2 }], 'a-column-with-a-rather-long-name': null, last: 'end' },
});

describe('a table of rows', () => {
  it.each([40, 60, 80, 100, 140])('fits a terminal of %i columns', (width) => {
    const lines = renderRows([0, 1, 2].map(labelled), columns, { width, paint });
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(lines.join('\n')).toContain('step:2/0');
  });

  it('has all columns if they fit, and names those that are left out', () => {
    expect(renderRows([labelled(0)], columns, { width: 140, paint }).join('\n')).toMatch(
      /^row +n +text +list +a-column-with-a-rather-long-name +last\n.*end$/,
    );
    expect(renderRows([labelled(1)], columns, { width: 50, paint }).join('\n')).toMatch(/and 2 more columns: a-column/);
    expect(renderRows([{ label: '', values: { n: 1 } }], ['n'], { width: 50, paint })).toEqual(['n', '1']);
  });

  it.each([40, 80, 140])('that grows keeps its columns aligned, %i wide', (width) => {
    const draw = createGrowingTable(columns, { width, paint }, 10);
    const lines = [draw([labelled(0)]), draw([labelled(3), labelled(1)]), draw([labelled(2)])].flat();
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(lines.filter((line) => line.startsWith('row '))).toHaveLength(1);
    const at = lines.find((line) => line.startsWith('row '))?.indexOf('text');
    expect(lines.filter((line) => line.startsWith('step:') && line.includes('words')).map((line) => line.indexOf('words'))).toEqual([
      at,
      at,
      at,
    ]);
  });
});

describe('widths', () => {
  it('narrow the widest columns until a line fits', () => {
    expect(fitWidth([5, 50, 30], 100, 8)).toBe(50);
    expect(fitWidth([5, 50, 30], 60, 8)).toBe(25);
    expect(fitWidth([50, 50, 50], 20, 8)).toBe(8);
  });

  it('break a text between words', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('a-word-that-is-long b', 5)).toEqual(['a-word-that-is-long', 'b']);
  });
});
