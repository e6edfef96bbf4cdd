import { lossesMax, type GraphState } from '../../projections/index.ts';
import { startNextAttempt, type Command } from './commands.ts';
import { isAnythingRunning, openBatches, stepOf, type NumberedBatch } from './open-batches.ts';

/**
 * Crashes in a row after which a batch is suspected to have caused them. After a first crash all batches run together again: most crashes have nothing to
 * do with a batch, and a run may have hundreds of open batches.
 */
const suspectCrashes = 2;

interface Suspect {
  readonly name: string;
  readonly batch: NumberedBatch;
}

/**
 * Returns the attempts to start while batches are suspected, or null if none is. Nothing else runs meanwhile.
 *
 * This is group testing by halves. The batches with the most crashes in a row are the suspects. Half of them run together: if the driver dies again, they
 * have the most crashes; if not, they are cleared. So one batch among `n` that kills its driver runs alone after at most `2 + log2(n)` crashes, and `n`
 * harmless batches are cleared in `log2(n)` rounds. Only a crash while a batch runs alone counts against it.
 */
export function suspectsOf(graph: GraphState): readonly Command[] | null {
  const all = graph.order.flatMap((name) => openBatches(stepOf(graph, name)).map((batch): Suspect => ({ name, batch })));
  const crashes = all.reduce((most, { batch: [, open] }) => Math.max(most, open.crashes), 0);
  if (crashes < suspectCrashes) return null;
  if (isAnythingRunning(graph)) return [];

  const poison = all.find(({ batch: [, { losses, crashes }] }) => losses >= lossesMax && crashes > 0);
  if (poison) {
    const [batch, { losses }] = poison.batch;
    return [{ type: 'PauseRun', reason: 'poison', step: poison.name, batch, losses }];
  }
  const suspects = all.filter(({ batch: [, open] }) => open.crashes === crashes);
  const alone = suspects.length === 1;
  const group = suspects.slice(0, Math.ceil(suspects.length / 2));
  return group.map(({ name, batch: [number, open] }) => startNextAttempt(stepOf(graph, name), name, number, open, alone));
}
