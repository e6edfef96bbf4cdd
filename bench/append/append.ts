import { us, type Area, type Bench, type Comparison, type Contestant } from '../area.ts';
import { missingPeers } from '../peers.ts';
import { inTurns } from '../rounds.ts';
import { lostByReader } from './lost-by-reader.ts';
import { appendWith, type AppendWork } from './processes.ts';
import { subjects, usByCaller } from './subjects.ts';

/** How long each appends, after some time that is not measured: so that five rounds are over in about ten minutes. */
const full = { warmUpMs: 350, workMs: 900 };
const quick = { warmUpMs: 10, workMs: 40 };

const callersFull = [1, 8, 64];
const callersQuick = [1, 64];
const eventsOfCall = [1, 100];

/** Several processes, and who takes part: the others do not differ in kind. */
const processesFull = [1, 2, 4];
const processesQuick = [2];
const callersOfProcess = 16;
const namesOfProcesses: readonly string[] = [us, 'Emmett'];

/** At how many callers each of them has a run of its own, too: with one that is the same, and 64 take longer to set up than to measure. */
const callersWithRuns = 8;

/** Who appends so many events in a call, for so many callers: COPY is for many rows. */
const namesFor = (events: number, callers: number): readonly string[] =>
  subjects
    .map(({ name }) => name)
    .filter((name) => (events > 1 || name !== 'bare COPY') && (callers === callersWithRuns || name !== usByCaller));

/** What a reader has to know of who does what. */
const note =
  'distilog: one driver, whose appender is shared by all callers of a process; a run a caller: each has a driver and a log of its own. Bare: a connection and a log for each caller; grouped: one connection and one log for all, as ours; chained: the same, with a hash an event, a head and a record of each append. Append function alone: what our driver calls, with events that are encoded already. ' +
  'Emmett, evtstore, castore: a stream for each caller, on pools of ten, their default; message-db: a category for each caller.';

const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** Events that are durable before the call returns, by many callers at once. */
export const append: Area = {
  name: 'append',
  does: 'appends the same events, durably, beside event stores and bare SQL',
  run: async (bench) => {
    const [callers, processes] = bench.isQuick ? [callersQuick, processesQuick] : [callersFull, processesFull];
    const comparisons: Comparison[] = [];
    for (const events of eventsOfCall)
      for (const each of callers) {
        const what = `${count(each, 'caller')} × ${count(events, 'event')}`;
        const comparison = await compared(bench, what, { processes: 1, callers: each, events }, namesFor(events, each));
        comparisons.push(each === Math.max(...callers) && events === 1 ? await followed(bench, comparison) : comparison);
      }
    for (const each of processes) {
      const what = `${count(each, 'process', 'processes')} × ${callersOfProcess} callers × 1 event`;
      comparisons.push(await compared(bench, what, { processes: each, callers: callersOfProcess, events: 1 }, namesOfProcesses));
    }
    return comparisons.map((comparison, index) => (index === 0 ? { ...comparison, note } : comparison));
  },
};

async function compared(
  { server, rounds, isQuick, say }: Bench,
  what: string,
  work: Omit<AppendWork, keyof typeof full>,
  names: readonly string[],
): Promise<Comparison> {
  say(what);
  const runners = subjects
    .filter(({ name }) => names.includes(name))
    .map((subject) => ({
      name: subject.name,
      missing: missingPeers(subject.packages),
      run: () => appendWith(server, subject, { ...work, ...(isQuick ? quick : full) }),
    }));
  return { what, unit: 'events/s', better: 'higher', contestants: await inTurns(runners, rounds, say) };
}

/** The same contestants, with what a reader loses that follows them. */
async function followed({ server, isQuick }: Bench, comparison: Comparison): Promise<Comparison> {
  const contestants: Contestant[] = [];
  for (const contestant of comparison.contestants) {
    const lost = contestant.figures.length > 0 ? await lostByReader(server, contestant.name, isQuick) : undefined;
    contestants.push(lost === undefined ? contestant : { ...contestant, seen: { ...contestant.seen, 'lost by a reader': lost } });
  }
  return { ...comparison, contestants };
}
