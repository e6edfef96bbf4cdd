import { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import { isInstance } from '../kit/describe-thrown.ts';
import { messageOf } from '../kit/fault.ts';
import { NonRetryableError, type Context } from '../pipeline/index.ts';
import { answerSchema } from './answer-schema.ts';
import { callModel, type Answer, type ModelRequest } from './call-model.ts';
import type { ChatMessage } from './chat-message.ts';
import type { LanguageModel } from './language-model.ts';

/** Characters of an answer that are shown to the model that gave it: one that never ended would not fit into a request. */
const repeatedMax = 20_000;

/** Asks a model for JSON of a schema. */
export interface StructuredAnswer<T> {
  /** The JSON Schema that the model is given, to be recorded. */
  readonly schema: JsonObject;
  ask(context: Context, request: Omit<ModelRequest, 'format'>, fits?: (value: T) => string | null): Promise<Fitting<T>>;
}

/** An answer that fits: as JSON, and as the schema reads it. */
export interface Fitting<T> {
  readonly answered: unknown;
  readonly value: T;
}

/**
 * Answers in JSON of a schema. A model that misses it is told so once, with its answer and what was wrong; after that the row is rejected with code
 * `invalid-output`, and the answer in the message. `fits` may say what a schema cannot, and returns what is wrong.
 */
export function structuredAnswer<S extends z.ZodObject>(model: LanguageModel, schema: S): StructuredAnswer<z.output<S>> {
  const json = answerSchema(schema);
  const format = { name: 'answer', schema: json };
  return {
    schema: json,
    ask: async (context, request, fits = () => null) => {
      const messages = model.enforcesSchema ? request.messages : withSchema(request.messages, json);
      const read = (answer: Answer) => parsed(schema, answer, fits);
      // One that misses the schema is paid for too, and not asked for again when the second one fails.
      const first = await context.checkpoint('first answer', () => misfitsToo(model, context, { ...request, messages, format }, read));
      try {
        return read(first);
      } catch (thrown) {
        if (!isInstance(thrown, Misfit)) throw thrown;
        const again = [
          ...messages,
          { role: 'assistant', content: first.text.slice(0, repeatedMax) },
          { role: 'user', content: toldOff(thrown.why, model.enforcesSchema ? json : null) },
        ] as const;
        return await callModel(model, context, { ...request, messages: again, format }, read);
      }
    },
  };
}

/** Calls a model, and gives what it answered whether or not that can be read; it is told of as what it is. */
async function misfitsToo(
  model: LanguageModel,
  context: Context,
  request: ModelRequest,
  read: (answer: Answer) => unknown,
): Promise<Answer> {
  try {
    return await callModel(model, context, request, (answer) => {
      read(answer);
      return answer;
    });
  } catch (thrown) {
    if (isInstance(thrown, Misfit)) return thrown.answer;
    throw thrown;
  }
}

/** An answer that is not what was asked for. */
class Misfit extends NonRetryableError {
  readonly answer: Answer;
  readonly why: string;

  constructor(answer: Answer, why: string) {
    super(`The model's answer does not fit the schema: ${why}. It answered: ${answer.text}`, { code: 'invalid-output' });
    this.answer = answer;
    this.why = why;
  }
}

function parsed<S extends z.ZodObject>(schema: S, answer: Answer, fits: (value: z.output<S>) => string | null): Fitting<z.output<S>> {
  const answered = jsonOf(answer);
  const { success, data, error } = schema.safeParse(answered);
  if (!success) throw new Misfit(answer, issuesOf(error));
  const why = fits(data);
  if (why !== null) throw new Misfit(answer, why);
  return { answered, value: data };
}

/** The JSON of an answer. */
function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(unfenced(answer.text));
  } catch (error) {
    const cut = answer.finishReason === 'length' ? ', for it was cut off at maxOutputTokens' : '';
    throw new Misfit(answer, `it is not JSON${cut} (${messageOf(error)})`);
  }
}

/** An answer without what the model thought aloud before it, and out of its fence. */
function unfenced(text: string): string {
  const start = text.trimStart();
  const thought = start.startsWith('<think>') ? start.indexOf('</think>') : -1;
  const said = (thought < 0 ? start : start.slice(thought + '</think>'.length)).trim();
  return said.startsWith('```') && said.endsWith('```') && said.length > 6 ? said.slice(said.indexOf('\n') + 1, -3) : said;
}

const issuesMax = 10;

const issuesOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, issuesMax)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');

/** What a model is told that missed the schema. Where it has not seen the schema itself, it does so now: a server may well pass over what it is held to. */
const toldOff = (why: string, unseen: JsonObject | null): string =>
  [
    `That answer cannot be used: ${why}. Answer the same request again, with one JSON object that fits the schema and nothing around it.`,
    ...(unseen === null ? [] : [`This is the JSON Schema:\n${JSON.stringify(unseen)}`]),
  ].join('\n');

/** Puts the schema into the system's message, for models whose provider does not keep to it. */
function withSchema(messages: readonly ChatMessage[], schema: JsonObject): readonly ChatMessage[] {
  const demand = `Answer with one JSON object and nothing around it. It must fit this JSON Schema:\n${JSON.stringify(schema)}`;
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: demand }, ...messages];
  return [{ role: 'system', content: `${first.content}\n\n${demand}` }, ...rest];
}
