/** The place where a text stops being JSON, and what was expected there. */
export interface JsonProblem {
  /** In characters, from 0. */
  readonly at: number;
  readonly expected: string;
}

const literal = /true|false|null/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line no-control-regex -- JSON allows no control characters in texts.
const textPart = /(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
const blank = /[ \t\r\n]*/y;

/** Finds the error in a text that `JSON.parse` refused, because its own messages do not always give the place. */
export function findJsonProblem(text: string): JsonProblem {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    at += found?.length ?? 0;
    return found !== undefined;
  };
  const skipBlank = () => take(blank);
  const takeOne = (char: string): boolean => {
    if (text[at] !== char) return false;
    at++;
    return true;
  };
  const problem = (expected: string): JsonProblem => ({ at, expected });

  const takeText = (): JsonProblem | null => {
    at++;
    take(textPart);
    if (takeOne('"')) return null;
    if (text[at] === '\\') return problem(String.raw`an escape such as \n, \" or \u00e9`);
    return at < text.length ? problem('no control character: write it as an escape') : problem('a closing " of the text');
  };
  /** The open brackets. The innermost decides what may follow a value. */
  const open: ('{' | '[')[] = [];
  const takeKey = (expected: string): JsonProblem | null => {
    skipBlank();
    if (text[at] !== '"') return problem(expected);
    const wrong = takeText();
    if (wrong) return wrong;
    skipBlank();
    return takeOne(':') ? null : problem('":" after the name');
  };
  /** Takes a value or its opening bracket. Returns whether a value has ended. */
  const takeValue = (): JsonProblem | boolean => {
    skipBlank();
    if (text[at] === '"') return takeText() ?? true;
    if (takeOne('{')) {
      skipBlank();
      if (takeOne('}')) return true;
      open.push('{');
      return takeKey('a name in double quotes, or "}"') ?? false;
    }
    if (takeOne('[')) {
      skipBlank();
      if (takeOne(']')) return true;
      open.push('[');
      return false;
    }
    return take(literal) || take(number) || problem('a value');
  };
  for (;;) {
    const value = takeValue();
    if (typeof value === 'object') return value;
    if (!value) continue;
    for (let isDone = false; !isDone; ) {
      skipBlank();
      const innermost = open.at(-1);
      if (innermost === undefined) return problem('the end of the line');
      if (takeOne(innermost === '{' ? '}' : ']')) open.pop();
      else if (takeOne(',')) {
        const wrong = innermost === '{' ? takeKey('a name in double quotes') : null;
        if (wrong) return wrong;
        isDone = true;
      } else return problem(innermost === '{' ? '"," or "}"' : '"," or "]"');
    }
  }
}
