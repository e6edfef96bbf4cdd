import { createLogUpdate } from 'log-update';
import { errors, graph, progress, timeline, usage } from '#projections';
import type { RecordedEvent } from '#schema';
import { formatCount, formatDuration } from './numbers.ts';
import { progressFrame } from './progress-frame.ts';
import { stepViews, type RunStates } from './run-view.ts';
import type { Terminal } from './terminal.ts';

/** What a person sees of a run while it moves. */
export interface LiveProgress {
  recorded(events: readonly RecordedEvent[]): void;
  /** A line above the moving part. */
  note(line: string): void;
  /** Draws it one last time and leaves it there. */
  done(): void;
}

const drawEveryMs = 150;
/** Without a terminal, a line now and then. */
const lineEveryMs = 5_000;

/** Shows a run from states that are folded as events are recorded: redrawn in place on a terminal, plain lines elsewhere. */
export function liveProgress(runId: string, before: RunStates, terminal: Terminal, write: (text: string) => boolean): LiveProgress {
  let states = before;
  let position = 0;
  const startedAt = Date.now();
  const draw = terminal.isInteractive ? interactive(terminal, write) : lines(terminal, runId);
  const frame = () => ({ runId, status: states.graph.status, position, elapsedMs: Date.now() - startedAt, steps: stepViews(states) });
  const timer = setInterval(() => draw.frame(frame()), terminal.isInteractive ? drawEveryMs : lineEveryMs);
  timer.unref();
  return {
    recorded: (events) => {
      for (const event of events) states = evolve(states, event);
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

const evolve = (states: RunStates, event: RecordedEvent): RunStates => ({
  graph: graph.evolve(states.graph, event),
  progress: progress.evolve(states.progress, event),
  errors: errors.evolve(states.errors, event),
  usage: usage.evolve(states.usage, event),
  timeline: timeline.evolve(states.timeline, event),
});

interface Drawer {
  frame(frame: Parameters<typeof progressFrame>[0]): void;
  note(line: string): void;
  done(): void;
}

function interactive(terminal: Terminal, write: (text: string) => boolean): Drawer {
  // Its own stream object, so that whatever steps print cannot end up in the middle of it.
  const stream = Object.create(process.stdout, { write: { value: write } }) as NodeJS.WriteStream;
  const update = createLogUpdate(stream, { showCursor: true });
  return {
    frame: (frame) => update(progressFrame(frame, terminal).join('\n')),
    note: (line) => {
      update.clear();
      terminal.note(line);
    },
    done: () => update.done(),
  };
}

function lines(terminal: Terminal, runId: string): Drawer {
  let last = '';
  return {
    frame: ({ status, position, elapsedMs, steps }) => {
      const facts = steps
        .map(({ name, rows }) => `${name} ${formatCount(rows.in)}${rows.rejected > 0 ? ` (${formatCount(rows.rejected)} rejected)` : ''}`)
        .join(', ');
      const text = `${status}, position ${formatCount(position)}: ${facts}`;
      if (text === last) return;
      last = text;
      terminal.note(`${runId}  ${formatDuration(elapsedMs)}  ${text}`);
    },
    note: (line) => terminal.note(line),
    done: () => undefined,
  };
}
