import { formatCount, formatDuration, formatRate } from './numbers.ts';
import { type StepView, tokensOf } from '../views/index.ts';
import type { Terminal } from './terminal.ts';
import { escapeLine } from './visible.ts';

export interface Frame {
  readonly runId: string;
  readonly status: string;
  readonly position: number;
  readonly elapsedMs: number;
  readonly steps: readonly StepView[];
}

const barWidthMax = 24;
const barWidthMin = 6;
const nameWidthMax = 24;

/** Renders a run's progress as lines that fit the terminal: one for the run and one per step. It depends on states only, so it can be tested as text. */
export function progressFrame(
  { runId, status, position, elapsedMs, steps }: Frame,
  { width, paint }: Pick<Terminal, 'width' | 'paint'>,
): readonly string[] {
  const nameWidth = Math.min(nameWidthMax, Math.max(4, ...steps.map(({ name }) => escapeLine(name).length)));
  const figures = `position ${formatCount(position)}  ${formatDuration(elapsedMs)}`;
  const tokens = tokensOf(steps);
  const consumed = `  ${formatCount(tokens)} tokens`;
  const isRoomy = tokens > 0 && [runId, status, figures].join('  ').length + consumed.length <= width;
  const head = `${paint('bold', runId)}  ${status}  ${paint('dim', `${figures}${isRoomy ? consumed : ''}`)}`;
  const facts = steps.map((step) => fitFacts(factsOf(step), width - nameWidth - barWidthMin - 3));
  const longest = Math.max(...facts.map(lengthOf));
  const barWidth = Math.max(barWidthMin, Math.min(barWidthMax, width - nameWidth - longest - 3));
  return [
    head,
    ...steps.map(({ name, ...step }, index) => {
      const factTexts = (facts[index] ?? []).map(({ text, style }) => (style ? paint(style, text) : text)).join('  ');
      return ` ${escapeLine(name).slice(0, nameWidth).padEnd(nameWidth)} ${bar(shareOf(step), barWidth, paint)} ${factTexts}`;
    }),
  ];
}

interface Fact {
  readonly text: string;
  readonly style?: Parameters<Terminal['paint']>[0];
}

/** Returns the facts to show about a step, the most important first. */
function factsOf(step: StepView): readonly Fact[] {
  const { state, rows, expected, usage } = step;
  const counted = expected === null || state === 'finished' ? formatCount(rows.in) : `${formatCount(rows.in)}/${formatCount(expected)}`;
  const facts: readonly Fact[] = [
    { text: state.padEnd(8), style: state === 'failed' || state === 'blocked' ? 'red' : state === 'finished' ? 'green' : 'dim' },
    { text: counted.padStart(13) },
    { text: rows.out === rows.in ? '' : `→ ${formatCount(rows.out)}` },
    { text: state === 'running' ? speed(step) : '' },
    { text: rows.rejected > 0 ? `${formatCount(rows.rejected)} rejected` : '', style: 'yellow' },
    {
      text: usage && usage.inputTokens + usage.outputTokens > 0 ? `${formatCount(usage.inputTokens + usage.outputTokens)} tokens` : '',
      style: 'dim',
    },
  ];
  return facts.filter(({ text }) => text !== '');
}

/** Returns as many facts as fit into `width`. */
function fitFacts(facts: readonly Fact[], width: number): readonly Fact[] {
  let count = facts.length;
  while (count > 1 && lengthOf(facts.slice(0, count)) > width) count--;
  return facts.slice(0, count);
}

const lengthOf = (facts: readonly Fact[]): number => facts.reduce((sum, { text }) => sum + text.length + 2, -2);

function shareOf({ state, rows, expected }: Pick<StepView, 'state' | 'rows' | 'expected'>): number | null {
  if (state === 'finished') return 1;
  return expected ? Math.min(1, rows.in / expected) : null;
}

function speed({ rowsPerSecond, expected, rows }: StepView): string {
  if (rowsPerSecond === null || rowsPerSecond <= 0) return '';
  const left = expected === null ? 0 : Math.max(0, expected - rows.in);
  return left === 0 ? formatRate(rowsPerSecond) : `${formatRate(rowsPerSecond)}  ${formatDuration((left / rowsPerSecond) * 1000)} left`;
}

function bar(share: number | null, width: number, paint: Terminal['paint']): string {
  const full = share === null ? 0 : Math.round(share * width);
  return paint('cyan', '█'.repeat(full)) + paint('dim', '░'.repeat(width - full));
}
