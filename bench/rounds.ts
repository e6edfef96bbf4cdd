import type { Contestant } from './area.ts';

/** Somebody who can do the work that is measured. */
export interface Runner {
  readonly name: string;
  /** Does the work once, and returns its figure; what else it sees goes into `seen`. */
  readonly run: (round: number, seen: Record<string, string | number>) => Promise<number>;
  /** Why it cannot be tried here, where it cannot. */
  readonly missing?: string | undefined;
}

/** Lets all do the work in turns, so that what happens to the machine happens to everybody; each round begins with another. */
export async function inTurns(runners: readonly Runner[], rounds: number, say: (line: string) => void): Promise<readonly Contestant[]> {
  const figures = new Map(runners.map(({ name }) => [name, [] as number[]]));
  const seen = new Map(
    runners.map(({ name, missing }) => [name, (missing === undefined ? {} : { missing }) as Record<string, string | number>]),
  );
  const present = runners.filter(({ missing }) => missing === undefined);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < present.length; turn++) {
      const runner = present[(round + turn) % present.length] as Runner;
      const figure = await runner.run(round, seen.get(runner.name) ?? {});
      figures.get(runner.name)?.push(figure);
      say(`  round ${round + 1} of ${rounds}: ${runner.name} ${figure.toLocaleString('en-US', { maximumSignificantDigits: 4 })}`);
    }
  }
  return runners.map(({ name }) => ({ name, figures: figures.get(name) ?? [], seen: seen.get(name) }));
}

/** Notes a process's peak memory: the highest of all rounds. */
export function keepPeak(seen: Record<string, string | number>, { peakMb }: { readonly peakMb: number }): void {
  seen['peakMb'] = Math.max(peakMb, Number(seen['peakMb'] ?? 0));
}
