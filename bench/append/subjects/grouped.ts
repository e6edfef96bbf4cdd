import type { Subject } from '../subject.ts';

/** Maximum number of events in one call, as in a flush of distilog. */
const groupMax = 500;

/** Returns a subject whose callers share one connection. As in distilog, all events that queue up during one call go into the next. */
export const groupCallers = ({ prepare, open }: Subject): Subject => ({
  prepare,
  open: async (options) => {
    const { callers, close } = await open({ ...options, callers: 1 });
    const [call] = callers;
    const waiting: { readonly count: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
    let isCalling = false;
    const pump = async () => {
      isCalling = true;
      for (await Promise.resolve(); waiting.length > 0; await new Promise(setImmediate)) {
        const group = waiting.splice(0, Math.max(1, Math.floor(groupMax / (waiting[0]?.count ?? 1))));
        try {
          await call?.(group.reduce((sum, { count }) => sum + count, 0));
          for (const { resolve } of group) resolve();
        } catch (error) {
          for (const { reject } of group) reject(error);
        }
      }
      isCalling = false;
    };
    const append = (count: number) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ count, resolve, reject });
        if (!isCalling) void pump();
      });
    return { callers: Array.from({ length: options.callers }, () => append), close };
  },
});
