import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../../src/kit/assert.ts';
import { Fault } from '../../../src/kit/fault.ts';
import { exitCodeOfError } from '../../../src/cli/exit-codes.ts';
import { errorLabel, explainError, explainUnhandled } from '../../../src/cli/explain-error.ts';
import { faultExitCodes, faults, kindOfFault, refusals, rowCodes, type FaultCode } from '../../../src/faults/index.ts';

const catalogue = { ...rowCodes, ...refusals, ...faults };
const codes = Object.keys(catalogue) as readonly FaultCode[];

/** Sources without the catalogue and without comments: a code that only a comment names is not in use. */
const sources = fs
  .globSync(['src/**/*.ts', 'schema/**/*.{ts,sql}'])
  .filter((file) => !file.startsWith('src/faults/'))
  .map((file) => ({ file, text: fs.readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*(?:\/\/|--).*$/gm, '') }));

describe('the catalogue of faults', () => {
  it('has no code that no source uses', () => {
    const all = sources.map(({ text }) => text).join('\n');
    expect(codes.filter((code) => !all.includes(`'${code}'`) && !new RegExp(`^\\s*${code}: '`, 'm').test(all))).toEqual([]);
  });

  it('has each code that a source gives to an error', () => {
    const literal = /\bcode(?: =|:) '([a-z][a-z-]*)'|new (?:Fault|RowError)\(\s*'([^']*)'|attempt\.reject\(row, '([^']*)'/g;
    const found = sources.flatMap(({ file, text }) =>
      [...text.matchAll(literal)].map(([, member, thrown, rejected]) => ({ file, code: member ?? thrown ?? rejected ?? '' })),
    );
    expect(found.length).toBeGreaterThan(150);
    expect(found.filter(({ code }) => kindOfFault(code) === undefined)).toEqual([]);
  });

  it('describes each code in whole sentences', () => {
    for (const [code, { happened, advice }] of Object.entries(catalogue)) {
      expect(code).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
      expect(happened, code).toMatch(/^\S.*\.$/s);
      expect(advice, code).toMatch(/^[A-Z].*\.$/s);
    }
  });
});

describe('an exit code', () => {
  it('is 2 for wrong usage, and 1 for a fault and for a bug', () => {
    expect(faultExitCodes).toEqual({ usage: 2, fault: 1, bug: 1 });
  });

  it.each(codes)('of %s is the one of its kind', (code) => {
    const kind = kindOfFault(code);
    expect(kind).toBeDefined();
    expect(exitCodeOfError(new Fault(code, 'A message.'))).toBe(faultExitCodes[kind ?? 'bug']);
  });

  it('is that of a fault where a fault has a code of its own, and that of a bug for all other errors', () => {
    expect(exitCodeOfError(new Fault('own-code' as FaultCode, 'A message.'))).toBe(faultExitCodes.fault);
    for (const thrown of [new TypeError('x'), new AssertionError('x'), Object.assign(new Error('x'), { code: 'unknown-run' }), 'x', null])
      expect(exitCodeOfError(thrown)).toBe(faultExitCodes.bug);
  });
});

describe('a message about an error', () => {
  it('is the sentence of a fault', () => {
    expect(explainError(new Fault('unknown-run', 'There is no run x.'))).toBe('There is no run x.');
  });

  it('begins with the code of a fault, and names none for another error', () => {
    expect(errorLabel(new Fault('unknown-run', 'There is no run x.'))).toBe('error[unknown-run]:');
    expect(errorLabel(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('error:');
  });

  it('asks for a report of each error that is no fault, and of a fault that is a bug', () => {
    for (const thrown of [new Fault('row-missing', 'No row.'), new TypeError('x'), new Error('x'), 'x', null])
      expect(explainError(thrown)).toMatch(/\nThis is a bug in distilog\. Report it [^\n]+\.$/);
  });

  it('asks for no report of an error that nothing awaited, unless an assertion failed', () => {
    expect(explainUnhandled(new Error('thrown in a timer'))).toBe('thrown in a timer');
    expect(explainUnhandled(new AssertionError('broken'))).toContain('Report it');
  });
});
