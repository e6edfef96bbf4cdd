// A model that needs no network. It answers after a few milliseconds, and its answers and failures depend only on the question.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NonRetryableError, RetryableError, type Context } from 'distilog';

/** The file to which each question and answer is appended, as on a provider's bill. Null if LOCAL_MODEL_LEDGER is not set. */
const ledger = process.env['LOCAL_MODEL_LEDGER'] ?? null;

/** Questions that the model answers. It keeps further ones waiting until they are aborted. Unlimited if LOCAL_MODEL_QUESTIONS is not set. */
const questionsMax = Number(process.env['LOCAL_MODEL_QUESTIONS'] ?? Number.POSITIVE_INFINITY);
const dayMs = 86_400_000;
let questions = 0;

/** Returns the model's answer. Throws `NonRetryableError` or `RetryableError` as a provider's client would. */
export async function askLocalModel(question: string, material: string, { signal, attempt, usage, key }: Context): Promise<string> {
  appendToLedger('asked', key);
  const chance = hash(question);
  if (++questions > questionsMax) await sleep(dayMs, undefined, { signal });
  await sleep(4 + (chance % 12), undefined, { signal });
  // One question in a hundred is refused at every attempt. One in twenty fails at the first attempt only.
  if (chance % 100 === 7) throw new NonRetryableError(`the model refuses to answer: ${question}`, { code: 'content-filter' });
  if (chance % 20 === 3 && attempt === 1) throw new RetryableError('the model is overloaded', { code: 'overloaded' });
  const answer = `${material.charAt(0).toUpperCase()}${material.slice(1)}.`;
  usage({ model: 'local', inputTokens: countWords(question), outputTokens: countWords(answer) });
  appendToLedger('answered', key);
  return answer;
}

function appendToLedger(what: string, key: string): void {
  if (ledger) appendFileSync(ledger, `${JSON.stringify({ what, key, at: Date.now() })}\n`);
}

const countWords = (text: string): number => text.split(/\s+/).length;

function hash(text: string): number {
  let value = 2166136261;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  return (value ^ (value >>> 13)) >>> 0;
}
