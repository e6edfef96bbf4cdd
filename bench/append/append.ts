import { ownName, type Area, type Bench, type Comparison, type Contestant } from '../area.ts';
import { missingPeers } from '../peers.ts';
import { runInTurns } from '../rounds.ts';
import { countMissedEvents } from './missed-events.ts';
import { appendWith, type AppendWork } from './processes.ts';
import { subjects, ownNameByCaller } from './subjects.ts';

/** Duration of each measurement and of the warm-up before it. Five rounds take about ten minutes. */
const full = { warmUpMs: 350, workMs: 900 };
const quick = { warmUpMs: 10, workMs: 40 };

const callersFull = [1, 8, 64];
const callersQuick = [1, 64];
const eventsOfCall = [1, 100];

/** Numbers of processes, and the contestants that are measured with several. The others do not differ in kind. */
const processesFull = [1, 2, 4];
const processesQuick = [2];
const callersOfProcess = 16;
const namesOfProcesses: readonly string[] = [ownName, 'Emmett'];

/** Number of callers at which one run per caller is measured, too. With one caller it is the same; 64 runs take longer to set up than to measure. */
const callersWithRuns = 8;

/** Returns the names of the contestants for this number of events per call and of callers. COPY is for many rows. */
const namesFor = (events: number, callers: number): readonly string[] =>
  subjects
    .map(({ name }) => name)
    .filter((name) => (events > 1 || name !== 'bare COPY') && (callers === callersWithRuns || name !== ownNameByCaller));

/** Explains the contestants. */
const note =
  'distilog: one driver per process, whose appender all callers share; one run per caller: each caller has its own driver and log. Bare: each caller has its own connection and log; grouped: all callers share one connection and one log, as in distilog; chained: grouped, with a hash per event, a head, and a record of each append. Append function only: the SQL function that the driver calls, with events that are encoded already. ' +
  'Emmett, evtstore, castore: one stream per caller, on pools of ten, their default; message-db: one category per caller.';

const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** Measures appends that are durable before the call returns, by many concurrent callers. */
export const append: Area = {
  name: 'append',
  description: 'durable appends of the same events, compared with event stores and bare SQL',
  run: async (bench) => {
    const [callers, processes] = bench.isQuick ? [callersQuick, processesQuick] : [callersFull, processesFull];
    const comparisons: Comparison[] = [];
    for (const events of eventsOfCall)
      for (const callerCount of callers) {
        const title = `${count(callerCount, 'caller')} × ${count(events, 'event')}`;
        const comparison = await compare(bench, title, { processes: 1, callers: callerCount, events }, namesFor(events, callerCount));
        comparisons.push(callerCount === Math.max(...callers) && events === 1 ? await addMissedEvents(bench, comparison) : comparison);
      }
    for (const processCount of processes) {
      const title = `${count(processCount, 'process', 'processes')} × ${callersOfProcess} callers × 1 event`;
      comparisons.push(await compare(bench, title, { processes: processCount, callers: callersOfProcess, events: 1 }, namesOfProcesses));
    }
    return comparisons.map((comparison, index) => (index === 0 ? { ...comparison, note } : comparison));
  },
};

async function compare(
  { server, rounds, isQuick, reportProgress }: Bench,
  title: string,
  work: Omit<AppendWork, keyof typeof full>,
  names: readonly string[],
): Promise<Comparison> {
  reportProgress(title);
  const runners = subjects
    .filter(({ name }) => names.includes(name))
    .map((subject) => ({
      name: subject.name,
      missing: missingPeers(subject.packages),
      run: () => appendWith(server, subject, { ...work, ...(isQuick ? quick : full) }),
    }));
  return { title, unit: 'events/s', better: 'higher', contestants: await runInTurns(runners, rounds, reportProgress) };
}

/** Returns the comparison with the number of events that a concurrent reader misses, for each contestant that the reader can follow. */
async function addMissedEvents({ server, isQuick }: Bench, comparison: Comparison): Promise<Comparison> {
  const contestants: Contestant[] = [];
  for (const contestant of comparison.contestants) {
    const missed = contestant.figures.length > 0 ? await countMissedEvents(server, contestant.name, isQuick) : undefined;
    contestants.push(
      missed === undefined ? contestant : { ...contestant, observations: { ...contestant.observations, 'missed by a reader': missed } },
    );
  }
  return { ...comparison, contestants };
}
