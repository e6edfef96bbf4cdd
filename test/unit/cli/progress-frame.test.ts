import { describe, expect, it } from 'vitest';
import { noUsage } from '../../../projections/index.ts';
import { progressFrame } from '../../../src/cli/progress-frame.ts';
import type { StepView } from '../../../src/views/index.ts';
import { renderSteps } from '../../../src/cli/commands/status.ts';

const step = (name: string, state: string, fields: Partial<StepView> = {}): StepView => ({
  name,
  operator: 'map',
  state,
  leaf: false,
  batches: { succeeded: 12, failed: 0, running: 2 },
  retries: 3,
  rows: { in: 1_200, out: 1_190, rejected: 10 },
  expected: 3_000,
  rowsPerSecond: 120,
  usage: { ...noUsage('m'), inputTokens: 12_345, outputTokens: 67_890 },
  ...fields,
});
const steps = [
  step('entries', 'finished'),
  step('answer', 'running'),
  step('a-step-with-a-rather-long-name', 'waiting', { rows: { in: 0, out: 0, rejected: 0 }, usage: null, expected: null }),
];
const plain = { paint: (_style: string, text: string) => text };
const frame = { runId: 'dictionary-7k2m4q', status: 'running', position: 412, elapsedMs: 12_300, steps };

describe('the progress of a run', () => {
  it.each([60, 80, 100, 140])('fits a terminal of %i columns', (width) => {
    const lines = progressFrame(frame, { width, ...plain });
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(lines[0]).toBe(`dictionary-7k2m4q  running  position 412  12.3 s${width > 60 ? '  160,470 tokens' : ''}`);
  });

  it('shows rows, expected rows, speed, remaining time, losses and tokens if they fit', () => {
    expect(progressFrame(frame, { width: 140, ...plain })[2]).toMatch(
      /answer\s+█+░+ running\s+1,200\/3,000 {2}→ 1,190 {2}120\/s {2}15\.0 s left {2}10 rejected {2}80,235 tokens$/,
    );
  });
});

describe('the table of steps', () => {
  it('fits 80 columns, and shows more on a wider terminal', () => {
    for (const line of renderSteps(steps.slice(0, 2), { width: 80, ...plain })) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(renderSteps(steps, { width: 120, ...plain }).join('\n')).toMatch(
      /^step\s+operator\s+state\s+batches\s+retried\s+rows in\s+rows out\s+rejected\s+tokens in\s+tokens out\n/,
    );
  });
});
