import { describe, expect, it } from 'vitest';
import { mayReadOrigin } from '../../../src/pipeline/may-read-origin.ts';

/** A function with exactly this text. */
// oxlint-disable-next-line no-implied-eval -- The text is the test's own.
const written = (text: string): unknown => new Function(`return (${text})`)();

describe('whether a function may read its row’s origin', () => {
  it.each([
    '() => 1',
    'row => row',
    '(row) => row.n',
    'async (row) => row.n',
    '({ n }) => n',
    '({ n, of: text, }) => n',
    '({}) => 1',
    '(row, { signal }) => signal',
    '(row, { signal, usage, checkpoint: made }) => signal',
    '({ n }, { attempt }) => attempt',
    '(row, {}) => row',
    'function (row) { return row }',
    'async function named({ n }) { return n }',
    'function* (row) { yield row }',
    'async function* ({ n }, { signal }) { yield n }',
    '{ run(row) { return row } }.run',
    '{ async *run({ n }) { yield n } }.run',
    '{ async run(rows) { return rows } }.run',
    '(größe) => größe',
  ])('is denied by the text %s', (text) => {
    expect(mayReadOrigin(written(text))).toBe(false);
  });

  it.each([
    '(row, context) => other(context)',
    '(row, { key }) => key',
    '(row, { signal, seed: luck }) => luck',
    '(row, { random }) => random()',
    '({ n }, { ...others }) => others.key',
    '(...all) => all[1].key',
    '(row, ...others) => others[0].key',
    '(row = {}, context) => context.key',
    '(row, context = {}) => context.key',
    '(row, { signal = 1 }) => signal',
    '(row, { [name]: value }) => value',
    '({ a = (() => 1)() }, c) => c.key',
    'function (row) { return arguments[1].key }',
    'function (row) { return eval("argu" + "ments")[1].key }',
    '{ run(row) { return arguments[1] } }.run',
    '(row /* a, b */, context) => context',
    '{ run: { async: (row, context) => context }.async }.run',
    'new Proxy((row, context) => context, {})',
    'function (row, context) { return context }.bind(null)',
  ])('is not denied by the text %s', (text) => {
    expect(mayReadOrigin(written(text))).toBe(true);
  });

  it('is not denied for a value that is not a function', () => {
    expect(mayReadOrigin(undefined)).toBe(true);
  });
});
