import { formatCount, formatDuration, formatRate } from './numbers.ts';
import type { StepView } from './run-view.ts';
import type { Terminal } from './terminal.ts';

export interface Frame {
  readonly runId: string;
  readonly status: string;
  readonly position: number;
  readonly elapsedMs: number;
  readonly steps: readonly StepView[];
}

const barWidthMax = 24;
/** Room for everything in a line but its name and bar. */
const factsWidth = 58;

/** A run's progress as lines that fit the terminal: one for the run, one for every step. A projection of states, so it can be tested as text. */
export function progressFrame(
  { runId, status, position, elapsedMs, steps }: Frame,
  { width, paint }: Pick<Terminal, 'width' | 'paint'>,
): readonly string[] {
  const nameWidth = Math.min(24, Math.max(4, ...steps.map(({ name }) => name.length)));
  const barWidth = Math.max(0, Math.min(barWidthMax, width - nameWidth - factsWidth));
  const head = `${paint('bold', runId)}  ${status}  ${paint('dim', `position ${formatCount(position)}  ${formatDuration(elapsedMs)}`)}`;
  return [head, ...steps.map((step) => stepLine(step, nameWidth, barWidth, paint))];
}

function stepLine(step: StepView, nameWidth: number, barWidth: number, paint: Terminal['paint']): string {
  const { name, state, rows, expected } = step;
  const share = state === 'finished' ? 1 : expected ? Math.min(1, rows.in / expected) : null;
  const counted = expected === null || state === 'finished' ? formatCount(rows.in) : `${formatCount(rows.in)}/${formatCount(expected)}`;
  const facts = [
    paint(state === 'failed' || state === 'blocked' ? 'red' : state === 'finished' ? 'green' : 'dim', state.padEnd(8)),
    counted.padStart(15),
    rows.out === rows.in ? '' : `→ ${formatCount(rows.out)}`,
    state === 'running' ? speed(step) : '',
    rows.rejected > 0 ? paint('yellow', `${formatCount(rows.rejected)} rejected`) : '',
    step.usage && step.usage.outputTokens > 0
      ? paint('dim', `${formatCount(step.usage.inputTokens + step.usage.outputTokens)} tokens`)
      : '',
  ];
  return ` ${name.slice(0, nameWidth).padEnd(nameWidth)} ${bar(share, barWidth, paint)} ${facts.filter(Boolean).join('  ')}`;
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
