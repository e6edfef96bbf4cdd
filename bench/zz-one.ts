import { openBenchServer } from './server.ts';
import { appendWith } from './append/processes.ts';
import { subjects } from './append/subjects.ts';
const server = await openBenchServer();
const [names, callers, events, ms] = process.argv.slice(2);
for (let r = 0; r < 2; r++)
  for (const name of names!.split(',')) {
    const s = subjects.find((e) => e.name === name)!;
    console.log(
      name,
      callers,
      events,
      Math.round(await appendWith(server, s, { processes: 1, callers: Number(callers), events: Number(events), workMs: Number(ms) })),
    );
  }
await server.close();
