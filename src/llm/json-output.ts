import type { Output } from 'ai';
import type { JsonObject } from '../kit/json.ts';

/** What an answer in JSON must look like. */
export interface JsonFormat {
  readonly name: string;
  /** A JSON Schema, draft 7. */
  readonly schema: JsonObject;
}

type TextOutput = ReturnType<typeof Output.text>;

/** Asks for JSON, and leaves the answer as it is: what does not fit is read, told and counted by us. */
export const jsonOutput = ({ name, schema }: JsonFormat): TextOutput => ({
  name: 'json',
  responseFormat: Promise.resolve({ type: 'json', name, schema: schema as object }) as unknown as TextOutput['responseFormat'],
  parseCompleteOutput: ({ text }) => Promise.resolve(text),
  parsePartialOutput: () => Promise.resolve(undefined),
  createElementStreamTransform: () => undefined,
});
