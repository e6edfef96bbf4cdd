/** Microseconds since 1970 of an event's `recordedAt`: what folds reckon with. Written here, for a fold runs in a browser too. */
export function microseconds(recordedAt: string): number {
  const seconds = Date.parse(`${recordedAt.slice(0, 19)}Z`);
  return seconds * 1000 + Number(recordedAt.slice(20, -1).padEnd(6, '0').slice(0, 6));
}
