import type { Actor } from '../../schema/index.ts';

/** Returns the name under which an actor's appends are stored. */
export const writerOf = ({ user, host, pid }: Actor): string => `${user}@${host}:${pid}`;
