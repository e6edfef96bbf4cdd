import { z } from 'zod';
import type { JsonObject } from '../kit/json.ts';
import { isInstance } from '../kit/describe-thrown.ts';
import { NonRetryableError, type Context } from '../pipeline/index.ts';
import { toAnswerSchema } from './answer-schema.ts';
import { callModel, type Answer, type ModelRequest } from './call-model.ts';
import type { ChatMessage } from './chat-message.ts';
import { readJsonInText } from './json-in-text.ts';
import type { LanguageModel } from './language-model.ts';

/** Maximum number of characters of an answer that are sent back to the model. An endless answer would not fit into a request. */
const repeatedMax = 20_000;

/** Asks a model for JSON that matches a schema. */
export interface StructuredAnswer<T> {
  /** The JSON Schema that the model gets, to be recorded. */
  readonly schema: JsonObject;
  ask(context: Context, request: Omit<ModelRequest, 'format'>, fits?: (value: T) => string | null): Promise<Fitting<T>>;
}

/** An answer that matches the schema: as JSON and as parsed by the schema. */
export interface Fitting<T> {
  readonly answered: unknown;
  readonly value: T;
}

/**
 * Creates a request for answers in JSON that match a schema. If an answer does not match, the model is asked once more, with its answer and the reason. After
 * that the row is rejected with code `invalid-output` and the answer in the message. `fits` checks what a schema cannot, and returns the reason or null.
 */
export function structuredAnswer<S extends z.ZodObject>(model: LanguageModel, schema: S): StructuredAnswer<z.output<S>> {
  const json = toAnswerSchema(schema);
  const format = { name: 'answer', schema: json };
  return {
    schema: json,
    ask: async (context, request, fits = () => null) => {
      const messages = model.enforcesSchema ? request.messages : addSchema(request.messages, json);
      const read = (answer: Answer) => parseAnswer(schema, answer, fits);
      // A first answer that does not match was paid for too. The checkpoint keeps it if the second call fails.
      const first = await context.checkpoint('first answer', () => requestAnswer(model, context, { ...request, messages, format }, read));
      try {
        return read(first);
      } catch (thrown) {
        if (!isInstance(thrown, Misfit)) throw thrown;
        const retryMessages = [
          ...messages,
          { role: 'assistant', content: first.text.slice(0, repeatedMax) },
          { role: 'user', content: describeMisfit(thrown.why, model.enforcesSchema ? json : null) },
        ] as const;
        return await callModel(model, context, { ...request, messages: retryMessages, format }, read);
      }
    },
  };
}

/** Calls the model and returns the answer even if it does not match the schema. Usage is reported as valid or discarded accordingly. */
async function requestAnswer(
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

/** Thrown for an answer that does not match the schema. */
class Misfit extends NonRetryableError {
  readonly answer: Answer;
  readonly why: string;

  constructor(answer: Answer, why: string) {
    super(`The model's answer does not match the schema: ${why}. It answered: ${answer.text}`, { code: 'invalid-output' });
    this.answer = answer;
    this.why = why;
  }
}

function parseAnswer<S extends z.ZodObject>(schema: S, answer: Answer, fits: (value: z.output<S>) => string | null): Fitting<z.output<S>> {
  const answered = parseJson(answer);
  const { success, data, error } = schema.safeParse(answered);
  if (!success) throw new Misfit(answer, listIssues(error));
  const why = fits(data);
  if (why !== null) throw new Misfit(answer, why);
  return { answered, value: data };
}

/** Reads the JSON of an answer. */
function parseJson(answer: Answer): unknown {
  const reading = readJsonInText(answer.text);
  if (reading.kind === 'read') return reading.value;
  throw new Misfit(answer, `${reading.why}${answer.finishReason === 'length' ? ' because it was cut off at maxOutputTokens' : ''}`);
}

const issuesMax = 10;

const listIssues = (error: z.ZodError): string =>
  error.issues
    .slice(0, issuesMax)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');

/** Returns the second request after an answer that does not match. It includes the schema if the prompt did not, because a server may ignore the one it got. */
const describeMisfit = (why: string, schema: JsonObject | null): string =>
  [
    `That answer cannot be used: ${why}. Answer the same request again, with one JSON object that fits the schema and nothing around it.`,
    ...(schema === null ? [] : [`This is the JSON Schema:\n${JSON.stringify(schema)}`]),
  ].join('\n');

/** Adds the schema to the system message, for models whose provider does not enforce it. */
function addSchema(messages: readonly ChatMessage[], schema: JsonObject): readonly ChatMessage[] {
  const demand = `Answer with one JSON object and nothing around it. It must fit this JSON Schema:\n${JSON.stringify(schema)}`;
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: demand }, ...messages];
  return [{ role: 'system', content: `${first.content}\n\n${demand}` }, ...rest];
}
