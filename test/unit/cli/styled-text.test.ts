import { describe, expect, it } from 'vitest';
import { changeText, resolveMarks, applyStyle, textLength } from '../../../src/cli/styled-text.ts';
import { shorten, renderTable } from '../../../src/cli/table.ts';
import { escapeLine } from '../../../src/cli/visible.ts';

const shown = (text: string) => resolveMarks(changeText(text, escapeLine), true);

describe('a style', () => {
  it('becomes an escape sequence only if this process set it', () => {
    expect(shown(`${applyStyle('red', 'altered')}: \x1b[32mintact\x1b[39m`)).toBe('\x1b[31maltered\x1b[39m: \\x1b[32mintact\\x1b[39m');
    expect(shown('\x1b[1234;5678;1234;5678;32mintact')).toBe('\\x1b[1234;5678;1234;5678;32mintact');
  });

  it('is left out without colours', () => {
    expect(resolveMarks(applyStyle('bold', 'name'), false)).toBe('name');
  });

  it('takes no width, and ends even if the text is cut', () => {
    const text = applyStyle('yellow', `pass 1: ${applyStyle('bold', 'rejected')} and more`);
    expect(textLength(text)).toBe('pass 1: rejected and more'.length);
    expect(resolveMarks(shorten(text, 12), false)).toBe('pass 1: rej…');
    expect(shown(shorten(text, 12))).toBe('\x1b[33mpass 1: \x1b[1mrej…\x1b[22m\x1b[39m');
    expect(shown(text.slice(0, -3)).endsWith('\x1b[0m')).toBe(true);
  });
});

describe('a table', () => {
  it('has one aligned line for each row, whatever its cells contain', () => {
    const lines = renderTable(
      [{ title: 'na\x1bme' }, { title: 'value' }],
      [
        ['a\nb', 'one'],
        ['\x1b[2J\x07', applyStyle('green', 'two\r')],
      ],
    ).map((line) => resolveMarks(line, false));
    expect(lines).toEqual(['na\\x1bme     value', 'a\\nb         one', '\\x1b[2J\\x07  two\\r']);
  });
});
