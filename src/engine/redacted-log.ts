import { messageOf } from '../kit/fault.ts';
import type { Json } from '../kit/json.ts';
import type { Log } from '../pipeline/index.ts';

/** Returns a step's logger that removes secrets from what it logs. */
export const redactedLog = (log: Log, redact: (text: string) => string): Log => ({
  info: (message, data) => log.info(redact(message), redactedData(data, redact)),
  warn: (message, data) => log.warn(redact(message), redactedData(data, redact)),
});

/** Data may hold anything at this time, so data that is not JSON is logged as a description. */
function redactedData(data: Json | undefined, redact: (text: string) => string): Json | undefined {
  if (data === undefined) return undefined;
  try {
    return JSON.parse(redact(JSON.stringify(data))) as Json;
  } catch {
    return redact(messageOf(data));
  }
}
