// The test server as a process of its own: prints its base URL, then serves until it is ended.
import { parseArgs } from 'node:util';
import { faultByContent, parseFaults, stubbornByContent } from './faults.ts';
import { startLlmServer } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    faults: { type: 'string', default: 'none' },
    /** Share of the requests that meet a fault at their first try. */
    share: { type: 'string', default: '0.25' },
    /** Faults that one request in twelve meets at every try. */
    stubborn: { type: 'string', default: 'none' },
    latency: { type: 'string', default: '0' },
    ledger: { type: 'string' },
    key: { type: 'string' },
    /** From which request on the key is refused. */
    revoke: { type: 'string' },
  },
});
const byContent = faultByContent(parseFaults(values.faults), Number(values.share));
const stubborn = stubbornByContent(parseFaults(values.stubborn));
const revokedAt = values.revoke === undefined ? Number.POSITIVE_INFINITY : Number(values.revoke);
const server = await startLlmServer({
  port: Number(values.port),
  latencyMs: Number(values.latency),
  fault: (asked) => (asked.number >= revokedAt ? 'unauthorized' : (stubborn(asked) ?? byContent(asked))),
  ...(values.ledger === undefined ? {} : { ledgerFile: values.ledger }),
  ...(values.key === undefined ? {} : { apiKey: values.key }),
});
console.log(server.url);
