import type { Subject } from '../subject.ts';

/** Most events in one call: as many as ours has in a flush. */
const groupMax = 500;

/** One caller of somebody, on whose one connection all others come along: as with ours, what queued up while the last call was on its way goes in the next. */
export const grouped = ({ prepare, open }: Subject): Subject => ({
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
