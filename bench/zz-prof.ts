import { openBenchServer } from './server.ts';
import { distilog } from './append/subjects/distilog.ts';
import { encodeEvent, decodeEvent } from '#log';
import { batchSucceeded, eventData } from './append/event.ts';
const server = await openBenchServer();
const db = await server.database('p');
await distilog.prepare(db.url);
const open = await distilog.open({ url: db.url, callers: 8, process: 0, data: eventData });
const cpu0 = process.cpuUsage();
let n = 0;
const t0 = performance.now();
await Promise.all(
  open.callers.map(async (c) => {
    do {
      await c(100);
      n += 100;
    } while (performance.now() - t0 < 4000);
  }),
);
const ms = performance.now() - t0;
const cpu = process.cpuUsage(cpu0);
console.log('events/s', Math.round((n * 1000) / ms), 'client cpu us/event', (cpu.user + cpu.system) / n, 'wall us/event', (ms * 1000) / n);
{
  const t = performance.now();
  for (let i = 0; i < 20000; i++) encodeEvent(batchSucceeded(i, ['ab'.repeat(32)]));
  console.log('encode us', (performance.now() - t) / 20);
}
{
  const e = encodeEvent(batchSucceeded(1, ['ab'.repeat(32)]));
  const t = performance.now();
  for (let i = 0; i < 20000; i++) decodeEvent({ ...e, position: 1, recordedAt: '2026-11-24T21:31:19.658000Z' }, 'x');
  console.log('decode us', (performance.now() - t) / 20);
}
await open.close();
await db.drop();
await server.close();
