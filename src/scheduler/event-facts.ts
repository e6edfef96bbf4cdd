import type { GraphState } from '../../projections/index.ts';
import type { Actor } from '../../schema/index.ts';
import type { Command } from './commands.ts';
import type { EventFacts } from './command-events.ts';
import type { Worker } from './worker-port.ts';

/** Asks the worker for the facts that a command's event needs. */
export async function eventFacts(command: Command, graph: GraphState, worker: Worker, actor: Actor): Promise<EventFacts> {
  const { pass } = graph;
  const facts = { pass, actor, worker: worker.name, source: null, sourceRows: null, retried: [] };
  if (command.type !== 'StartStep' && command.type !== 'StartBatch') return facts;
  const { step } = command;
  const isSource = graph.steps[step]?.plan.upstream.length === 0;
  if (command.type === 'StartStep') return isSource ? { ...facts, source: await worker.sourceFacts(step) } : facts;
  const sourceRows = isSource ? worker.sourceRows(step) : null;
  const retried = command.retriesRows ? await worker.retriedRows(pass, step, command.batch) : [];
  return { ...facts, sourceRows, retried };
}
