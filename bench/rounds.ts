import type { Contestant } from './area.ts';

/** A contestant that can do the measured work. */
export interface Runner {
  readonly name: string;
  /** Does the work once and returns its figure. Adds further observations to `observations`. */
  readonly run: (round: number, observations: Record<string, string | number>) => Promise<number>;
  /** Why the contestant cannot run here, if it cannot. */
  readonly missing?: string | undefined;
}

/** Runs all contestants in turns, so that changes of the machine affect all alike. Each round starts with another contestant. */
export async function runInTurns(
  runners: readonly Runner[],
  rounds: number,
  reportProgress: (line: string) => void,
): Promise<readonly Contestant[]> {
  const figures = new Map(runners.map(({ name }) => [name, [] as number[]]));
  const observations = new Map(
    runners.map(({ name, missing }) => [name, (missing === undefined ? {} : { missing }) as Record<string, string | number>]),
  );
  const present = runners.filter(({ missing }) => missing === undefined);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < present.length; turn++) {
      const runner = present[(round + turn) % present.length] as Runner;
      const figure = await runner.run(round, observations.get(runner.name) ?? {});
      figures.get(runner.name)?.push(figure);
      reportProgress(
        `  round ${round + 1} of ${rounds}: ${runner.name} ${figure.toLocaleString('en-US', { maximumSignificantDigits: 4 })}`,
      );
    }
  }
  return runners.map(({ name }) => ({ name, figures: figures.get(name) ?? [], observations: observations.get(name) }));
}

/** Records a process's peak memory, the highest of all rounds. */
export function keepPeak(observations: Record<string, string | number>, { peakMb }: { readonly peakMb: number }): void {
  observations['peakMb'] = Math.max(peakMb, Number(observations['peakMb'] ?? 0));
}
