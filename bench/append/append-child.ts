// A process that appends. bench/append/processes.ts starts it.
import { serve } from '../prepared-child.ts';
import type { AppendTask, Appended } from './processes.ts';
import { subjects } from './subjects.ts';

await serve<Appended>(async (task) => {
  const { subject: name, url, callers, events, process, data, warmUpMs, workMs } = task as AppendTask;
  const subject = await subjects.find((entry) => entry.name === name)?.load();
  if (!subject) throw new Error(`There is no contestant ${name}.`);
  if (process === 0) await subject.prepare(url);
  const open = await subject.open({ url, callers, process, data });
  let acknowledged = 0;
  const workFor = async (ms: number): Promise<Appended> => {
    const before = acknowledged;
    const started = performance.now();
    const call = async (append: (count: number) => Promise<unknown>) => {
      do {
        await append(events);
        acknowledged += events;
      } while (performance.now() - started < ms);
    };
    await Promise.all(open.callers.map(call));
    return { perSecond: ((acknowledged - before) * 1_000) / (performance.now() - started), acknowledged };
  };
  // Warms up first: compilation and connecting are not measured.
  await workFor(warmUpMs);
  return { work: () => workFor(workMs), close: open.close };
});
