import fs from 'node:fs';
import path from 'node:path';
import { graph, type GraphState } from '../../../projections/index.ts';
import { foldAt, runLogId } from '../../../src/log/index.ts';
import type { World } from '../../unit/engine/random-pipeline.ts';
import type { Arena } from './arena.ts';
import { againArgs, beginArgs, driveWorld, type DrivenProcess } from './driven-process.ts';
import { checkRun, type Witnessed } from './invariants.ts';
import { lookAt, type Look } from './look.ts';
import type { Tally } from './tally.ts';
import type { Outcome } from './undisturbed.ts';

/** A run that one process after the other drives, and what was recorded about it outside its store. */
export class RunUnderAttack {
  readonly arena: Arena;
  /** Ends of the log that were seen on the way. They must stay stored for ever. */
  readonly witnessed: Witnessed[] = [];
  readonly looks: Look[] = [];
  #runId: string | undefined;
  readonly #acknowledged: string;
  readonly #since = new Date();

  constructor(arena: Arena, runId?: string) {
    this.arena = arena;
    this.#runId = runId;
    const folder = fs.mkdtempSync(path.join(arena.folder, 'witness-'));
    this.#acknowledged = path.join(folder, 'acknowledged');
    fs.writeFileSync(this.#acknowledged, '');
  }

  /** Returns the run's id, or undefined until a process reported it or `look` found it. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** Starts a process that drives it. */
  start(args: readonly string[], world: World, env: Readonly<Record<string, string>> = {}): DrivenProcess {
    const started = driveWorld(args, { folder: this.arena.folder, world, env: { ...env, STORM_ACKNOWLEDGED: this.#acknowledged } });
    void started.drives.then((runId) => {
      this.#runId ??= runId;
    });
    return started;
  }

  /** Returns the command that brings it closer to the end of a pass, or undefined once the pass is over. */
  async next(world: World, pass: number): Promise<readonly string[] | undefined> {
    const { runId, state } = await this.look();
    if (runId === undefined) return beginArgs(world);
    if (state.status === 'running' || state.status === 'paused') return againArgs('resume', runId);
    return state.pass < pass ? againArgs('retry', runId) : undefined;
  }

  /** Returns the run's id and its current graph. */
  async look(): Promise<{ readonly runId: string | undefined; readonly state: GraphState }> {
    const runId = (this.#runId ??= await this.#findUnreported());
    if (runId === undefined) return { runId, state: graph.initialState() };
    const head = await this.arena.store.log.head(runLogId(runId));
    return { runId, state: await foldAt(this.arena.store, graph, runLogId(runId), head?.position ?? 0) };
  }

  /** Checks what must be true at the end of a pass. */
  async check(pass: number, outcome: Outcome, tally: Tally): Promise<void> {
    const { runId = '', state } = await this.look();
    if (state.status !== outcome.rest) throw new Error(`run ${runId} is ${state.status} where the undisturbed one is ${outcome.rest}`);
    const acknowledged = linesOf(this.#acknowledged)
      .filter(([log]) => log === runId)
      .map(([, position, hash = '']) => ({ position: Number(position), hash }));
    const expected = { configs: outcome.configs, witnessed: [...this.witnessed, ...acknowledged], looks: this.looks };
    const held = await checkRun(this.arena, runId, expected);
    tally.count('looks, all the same again', this.looks.length);
    this.looks.push(await lookAt(this.arena.store, runId));
    tally.count('acknowledged and seen positions, none lost', expected.witnessed.length);
    tally.count('events checked', held.events);
    tally.count('snapshots checked', held.snapshots);
    tally.count(pass === 1 ? 'runs' : 'retries');
  }

  /**
   * Finds a run whose process was killed before it could report the run: the newest one that only its first process drove. Runs of earlier attacks do
   * not count, because one may have been created just after its attack ended.
   */
  async #findUnreported(): Promise<string | undefined> {
    const rows = await this.arena.sql<{ run: string }>(
      `select h.log_id as run from distilog.heads h
        where h.log_id not like '%/side' and h.position > 0 and h.epoch = 1
          and exists (select from distilog.commits c where c.log_id = h.log_id and c.first = 1 and c.recorded_at >= $1)
          and not exists (select from distilog.events e where e.log_id = h.log_id and e.type in ('RunPaused', 'RunFinished'))
        order by h.recorded_at desc limit 1`,
      [this.#since.toISOString()],
    );
    return rows[0]?.run;
  }
}

const linesOf = (file: string): readonly (readonly string[])[] =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '));
