import type { RecordedEvent } from '../../schema/index.ts';
import { formatCount, formatDuration } from './numbers.ts';
import { progressFrame, type Frame } from './progress-frame.ts';
import { stepViews, tokensOf, type RunStates } from '../views/index.ts';
import type { Terminal } from './terminal.ts';

/** Live display of a run. */
export interface LiveProgress {
  /** Reports recorded events and the run's states after them. */
  report(events: readonly RecordedEvent[], states: RunStates): void;
  /** Prints a line above the part that is redrawn. */
  note(line: string): void;
  /** Draws the display one last time and leaves it on the terminal. */
  done(): void;
}

const drawEveryMs = 150;
/** Interval of progress lines if the output is not a terminal. */
const lineEveryMs = 5_000;

/** A run with its states as of a position, and the terminal that displays it. */
export interface Watched {
  readonly runId: string;
  readonly states: RunStates;
  readonly position: number;
  readonly terminal: Terminal;
}

/** Displays a run from the states that are reported with its events: redrawn in place on a terminal, as plain lines elsewhere. */
export function liveProgress({ runId, states: before, position: from, terminal }: Watched): LiveProgress {
  let states = before;
  let position = from;
  const startedAt = Date.now();
  const draw = terminal.isInteractive ? interactive(terminal) : lines(terminal, runId);
  const frame = () => ({ runId, status: states.graph.status, position, elapsedMs: Date.now() - startedAt, steps: stepViews(states) });
  const timer = setInterval(() => draw.frame(frame()), terminal.isInteractive ? drawEveryMs : lineEveryMs);
  timer.unref();
  return {
    report: (events, after) => {
      states = after;
      position = events.at(-1)?.position ?? position;
    },
    note: (line) => draw.note(line),
    done: () => {
      clearInterval(timer);
      draw.frame(frame());
      draw.done();
    },
  };
}

interface Drawer {
  frame(frame: Frame): void;
  note(line: string): void;
  done(): void;
}

function interactive(terminal: Terminal): Drawer {
  const region = terminal.openRegion();
  return {
    frame: (frame) => region.draw(progressFrame(frame, terminal)),
    note: (line) => {
      region.clear();
      terminal.note(line);
    },
    done: () => region.done(),
  };
}

function lines(terminal: Terminal, runId: string): Drawer {
  let last = '';
  return {
    frame: ({ status, position, elapsedMs, steps }) => {
      const tokens = tokensOf(steps);
      const facts = steps
        .map(({ name, rows }) => `${name} ${formatCount(rows.in)}${rows.rejected > 0 ? ` (${formatCount(rows.rejected)} rejected)` : ''}`)
        .join(', ');
      const text = `${status}, position ${formatCount(position)}: ${facts}${tokens > 0 ? `; ${formatCount(tokens)} tokens` : ''}`;
      if (text === last) return;
      last = text;
      terminal.note(`${runId}  ${formatDuration(elapsedMs)}  ${text}`);
    },
    note: (line) => terminal.note(line),
    done: () => undefined,
  };
}
