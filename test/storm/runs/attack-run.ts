import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../../../src/kit/pause.ts';
import { runLogId } from '../../../src/log/index.ts';
import { killGroup, type Result } from '../../e2e/command-line.ts';
import { signal } from '../../embedded/processes.ts';
import type { World } from '../../unit/engine/random-pipeline.ts';
import { randomFrom } from '../../unit/random.ts';
import type { Arena } from './arena.ts';
import type { Blow } from '../area.ts';
import { againArgs, inTime, type DrivenProcess } from './driven-process.ts';
import { lookAt } from './look.ts';
import { RunUnderAttack } from './run-under-attack.ts';
import type { Tally } from './tally.ts';
import { undisturbed, type Outcome } from './undisturbed.ts';

export interface AttackedRun {
  readonly arena: Arena;
  readonly world: World;
  readonly random: ReturnType<typeof randomFrom>;
  readonly signals: readonly Blow[];
  /** Returns how many faults the next pass gets. */
  readonly blows: () => number;
  readonly tally: Tally;
}

/** The share of faults that hit a process before it reports that it drives the run: while it starts, or recovers from the last fault. */
const earlyShare = 0.35;
/** The longest times after which a driving process is hit. */
const momentsMs = [10, 100, 600] as const;
/** The time between two stops of a server. A supervisor gives up a server that stops more often. */
const serverRestMs = 4_000;
const endMs = 90_000;
/** The most processes that one pass may need. */
const processesMax = 60;
const looksMax = 4;

/** Drives a run while faults are injected, retries its rejected rows under the same faults, and checks every invariant after each pass. */
export async function attackRun(given: AttackedRun): Promise<void> {
  const { world } = given;
  const expected = await undisturbed(world);
  const attack = new Attack(given);
  await attack.pass(world, 1, expected.first);
  if (typeof expected.retried !== 'string') await attack.pass({ ...world, isRepaired: true }, 2, expected.retried);
}

class Attack {
  readonly #given: AttackedRun;
  readonly #run: RunUnderAttack;
  /** An estimate of how long a process takes until it drives its run, from the last ones. */
  #startMs = 700;
  #serverStoppedAt = 0;

  constructor(given: AttackedRun) {
    this.#given = given;
    this.#run = new RunUnderAttack(given.arena);
  }

  /** Drives one pass to its end and checks what must be true then. */
  async pass(world: World, pass: number, outcome: Outcome): Promise<void> {
    const { blows, tally } = this.#given;
    const over = new AbortController();
    const watching = this.#watch(over.signal);
    try {
      await this.#drive(world, pass, blows());
    } finally {
      over.abort();
      await watching;
    }
    await this.#run.check(pass, outcome, tally);
  }

  async #drive(world: World, pass: number, blows: number): Promise<void> {
    let left = blows;
    let driving = await this.#next(world, pass);
    for (let processes = 1; driving; processes++) {
      if (processes > processesMax) throw new Error(`run ${this.#run.runId} does not come to an end`);
      const blow = left > 0 ? this.#pick() : null;
      if (blow === null || !(await this.#moment(driving))) {
        this.#judge(await inTime(driving.ended, endMs, `process ${driving.pid}`));
        driving = await this.#next(world, pass);
        continue;
      }
      left--;
      driving = await this.#strike(driving, blow, world, pass);
    }
  }

  async #next(world: World, pass: number): Promise<DrivenProcess | undefined> {
    const args = await this.#run.next(world, pass);
    return args && this.#start(args, world);
  }

  #start(args: readonly string[], world: World): DrivenProcess {
    const started = this.#run.start(args, world);
    void started.drives.then((runId) => {
      if (runId !== undefined) this.#startMs = Math.round((this.#startMs + Date.now() - started.startedAt) / 2);
    });
    return started;
  }

  #pick(): Blow {
    const { random, signals } = this.#given;
    const blow = random.pick(signals);
    return blow === 'pg-immediate' && Date.now() < this.#serverStoppedAt + serverRestMs && signals.includes('KILL') ? 'KILL' : blow;
  }

  /** Waits until a fault is due. Returns false if the process ends first. */
  async #moment({ startedAt, drives, ended }: DrivenProcess): Promise<boolean> {
    const { random } = this.#given;
    const early = random.chance(earlyShare) ? this.#startMs * (0.4 + 0.7 * random.next()) : null;
    const lateMs = random.below(random.pick(momentsMs));
    const moment = early === null ? drives.then(() => sleep(lateMs)) : sleep(Math.max(0, startedAt + early - Date.now()));
    return Promise.race([moment.then(() => true), ended.then(() => false)]);
  }

  /** Injects a fault and returns the process that drives the run afterwards. */
  async #strike(driving: DrivenProcess, blow: Blow, world: World, pass: number): Promise<DrivenProcess | undefined> {
    const { arena, random, tally } = this.#given;
    const isDriving = await Promise.race([driving.drives.then((runId) => runId !== undefined), sleep(0).then(() => false)]);
    if (!isDriving) tally.count('blows before it drove');
    switch (blow) {
      case 'pg-immediate': {
        this.#serverStoppedAt = Date.now();
        if (arena.stopServer()) tally.struck('PostgreSQL stopped at once');
        if (random.chance(0.6)) return driving;
        return this.#kill(driving, world, pass);
      }
      case 'KILL':
        return this.#kill(driving, world, pass);
      case 'STOP':
        return this.#replace(driving, isDriving, world, pass);
    }
  }

  async #kill(driving: DrivenProcess, world: World, pass: number): Promise<DrivenProcess | undefined> {
    killGroup(driving.child);
    this.#given.tally.struck('drivers killed');
    await driving.ended;
    return this.#next(world, pass);
  }

  /** Stops a driver, lets another process take its run over, and continues the stale writer. It must store nothing more and report why it ends. */
  async #replace(ghost: DrivenProcess, isDriving: boolean, world: World, pass: number): Promise<DrivenProcess | undefined> {
    const { random, tally, arena } = this.#given;
    signal(ghost.pid, 'SIGSTOP');
    tally.struck('drivers stopped');
    const { runId, state } = await this.#run.look();
    if (runId === undefined || (state.status !== 'running' && state.status !== 'paused')) {
      await sleep(random.below(200));
      signal(ghost.pid, 'SIGCONT');
      return ghost;
    }
    const taker = this.#start(againArgs('resume', runId, '--take-over'), world);
    const taken = await inTime(taker.drives, endMs, `the takeover by process ${taker.pid}`);
    await sleep(random.below(random.pick(momentsMs)));
    signal(ghost.pid, 'SIGCONT');
    const result = await inTime(ghost.ended, endMs, `the stale writer ${ghost.pid}`);
    if (taken !== undefined && isDriving) {
      tally.count('ghosts, none heard');
      // It may have paused the run just before it was stopped, because of a suspect batch.
      const hadPaused = result.code === 4 && result.stdout.includes('"outcome":"paused"');
      if (!hadPaused && (result.code !== 1 || !result.stderr.includes('error[fenced]')))
        throw new Error(`the stale writer ${ghost.pid} ended with ${result.code} and printed: ${result.stderr}`);
      const heard = await arena.sql(
        `select first from distilog.commits where log_id = $1 and writer like '%:' || $2::text
            and first > (select min(first) from distilog.commits where log_id = $1 and writer like '%:' || $3::text)`,
        [taken, ghost.pid, taker.pid],
      );
      if (heard.length > 0) throw new Error(`the stale writer ${ghost.pid} of run ${taken} stored appends: ${JSON.stringify(heard)}`);
    } else this.#judge(result);
    if (taken !== undefined) return taker;
    this.#judge(await taker.ended);
    return this.#next(world, pass);
  }

  /** Accepts a process that ended with its run at rest, or that reported why it cannot go on. Throws otherwise. */
  #judge({ code, stdout, stderr }: Result): void {
    const { tally } = this.#given;
    if (stdout.includes('"outcome"')) {
      if (code === 4) tally.count('pauses for poison');
      return;
    }
    const said = sentences.find(([, pattern]) => pattern.test(stderr));
    if (!said) throw new Error(`a process ended with ${code} and printed: ${stderr || 'nothing'}`);
    tally.count(said[0]);
  }

  /** Records positions and states of the run while it is attacked. They must stay the same for ever. */
  async #watch(over: AbortSignal): Promise<void> {
    const { arena, world } = this.#given;
    const { witnessed, looks } = this.#run;
    // It draws from its own random numbers, so that the faults do not depend on how often it looks.
    const random = randomFrom(world.seed * 37);
    const looksAtMost = looks.length + looksMax;
    while (!over.aborted) {
      await pause(150 + random.below(300), over);
      const { runId } = this.#run;
      const head = runId === undefined ? null : await arena.store.log.head(runLogId(runId));
      if (runId === undefined || !head || head.position === 0) continue;
      witnessed.push({ position: head.position, hash: head.hash });
      if (looks.length < looksAtMost && random.chance(0.25)) looks.push(await lookAt(arena.store, runId, 1 + random.below(head.position)));
    }
  }
}

/** What a process may print that ends before its run is at rest. */
const sentences = [
  ['refused: driven by another', /error\[run-is-driven\]/],
  ['refused: over', /error\[run-is-over\]/],
  ['ended: taken over', /error\[fenced\]/],
] as const;
