// A model that needs no network: deterministic answers after a few milliseconds, and faults that depend on the question alone.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NonRetryableError, RetryableError, type Context } from 'distilog';

/** With LOCAL_MODEL_LEDGER set, every question that is asked and answered is noted there, as a provider would note it on a bill. */
const ledger = process.env['LOCAL_MODEL_LEDGER'];

export async function askLocalModel(question: string, material: string, { signal, attempt, usage, key }: Context): Promise<string> {
  note('asked', key);
  const luck = hash(question);
  await sleep(4 + (luck % 12), undefined, { signal });
  // One question in a hundred is refused for good, one in twenty fails the first time.
  if (luck % 100 === 7) throw new NonRetryableError(`the model will not answer: ${question}`, { code: 'content-filter' });
  if (luck % 20 === 3 && attempt === 1) throw new RetryableError('the model is overloaded', { code: 'overloaded' });
  const answer = `${material.charAt(0).toUpperCase()}${material.slice(1)}.`;
  usage({ model: 'local', inputTokens: words(question), outputTokens: words(answer) });
  note('answered', key);
  return answer;
}

function note(what: string, key: string): void {
  if (ledger) appendFileSync(ledger, `${JSON.stringify({ what, key, at: Date.now() })}\n`);
}

const words = (text: string): number => text.split(/\s+/).length;

function hash(text: string): number {
  let value = 2166136261;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  return (value ^ (value >>> 13)) >>> 0;
}
