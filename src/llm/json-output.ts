import type { Output } from 'ai';
import type { JsonObject } from '../kit/json.ts';

/** The format of an answer in JSON. */
export interface JsonFormat {
  readonly name: string;
  /** A JSON Schema, draft 7. */
  readonly schema: JsonObject;
}

type TextOutput = ReturnType<typeof Output.text>;

/** Requests JSON and returns the answer unparsed, because we parse it ourselves and report answers that do not match the schema. */
export const jsonOutput = ({ name, schema }: JsonFormat): TextOutput => ({
  name: 'json',
  responseFormat: Promise.resolve({ type: 'json', name, schema: schema as object }) as unknown as TextOutput['responseFormat'],
  parseCompleteOutput: ({ text }) => Promise.resolve(text),
  parsePartialOutput: () => Promise.resolve(undefined),
  createElementStreamTransform: () => undefined,
});
