import { changedFiles, type Definition, type StepChange } from '../../schema/index.ts';
import { lineDifference } from '../kit/line-difference.ts';
import type { Terminal } from './terminal.ts';

/** Changed lines shown per file or function. */
const linesMax = 12;

/** Renders the changes of a pipeline since it was recorded, step by step, with the lines that differ. */
export function renderChanges(
  changes: readonly StepChange[],
  recorded: Definition,
  now: Definition,
  { paint }: Pick<Terminal, 'paint'>,
): string {
  const lines: string[] = [];
  for (const { step, kind, parts } of changes) {
    const what = kind === 'follows' ? 'follows a change' : kind === 'changed' ? `changed: ${parts.join(', ')}` : kind;
    lines.push(`  ${step.padEnd(16)} ${kind === 'unchanged' ? paint('dim', what) : paint('yellow', what)}`);
    if (kind === 'changed' && parts.includes('code')) lines.push(...renderDifference(codeOf(recorded, step), codeOf(now, step), paint));
  }
  if (changes.some(({ parts }) => parts.includes('sources'))) lines.push(renderFiles(recorded, now.sources, { paint }));
  return lines.join('\n');
}

/** Lines shown for loaded packages and imports. */
const loadedShown = 20;

/** Renders the differences between loaded packages and imports, one per line. Empty if there are none. */
export function renderLoaded(lines: readonly string[], { paint }: Pick<Terminal, 'paint'>): string {
  const more = lines.length > loadedShown ? [`… ${lines.length - loadedShown} more`] : [];
  return [...lines.slice(0, loadedShown), ...more].map((line) => `  ${paint('yellow', line)}\n`).join('');
}

/** Renders the lines that differ between the files of a recorded pipeline and the current files. */
export function renderFiles(recorded: Definition, sources: Definition['sources'], { paint }: Pick<Terminal, 'paint'>): string {
  const text = (all: Definition['sources'], path: string) => all.find((source) => source.path === path)?.text ?? '';
  return changedFiles(recorded, { sources })
    .flatMap((path) => [`  ${path}`, ...renderDifference(text(recorded.sources, path), text(sources, path), paint)])
    .join('\n');
}

const codeOf = ({ steps }: Definition, name: string): string => steps.find((step) => step.name === name)?.code ?? '';

/** Renders the lines from the first difference to the last. */
function renderDifference(before: string, after: string, paint: Terminal['paint']): readonly string[] {
  const { removed, added } = lineDifference(before, after);
  const shown = (lines: readonly string[], sign: string) => {
    const more = lines.length > linesMax ? [`      … ${lines.length - linesMax} more lines`] : [];
    return [...lines.slice(0, linesMax).map((line) => `    ${sign} ${line}`), ...more];
  };
  return [...shown(removed, '-').map((line) => paint('red', line)), ...shown(added, '+').map((line) => paint('green', line))];
}
