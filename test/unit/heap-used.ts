import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
// Where objects of a kind live long while a test begins, V8 would make later ones old from the start, whatever holds them.
setFlagsFromString('--no-allocation-site-pretenuring');
const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;

/** Bytes of this thread's heap that are in use once all garbage is collected. */
export function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Collects young garbage only, as V8 does while a program is at work: what an old object holds stays, even if that object is unreachable itself. */
export function collectYoung(): void {
  collect({ type: 'minor' });
}
