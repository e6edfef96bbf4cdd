import { z } from 'zod';
import { Fault, messageOf } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';

/** The JSON Schema of what a model is to answer: what goes into the zod schema, with no key but the declared ones, as strict providers demand. */
export function answerSchema(schema: z.ZodObject): JsonObject {
  try {
    const { $schema: _draft, ...json } = z.toJSONSchema(schema, {
      io: 'input',
      target: 'draft-7',
      override: ({ jsonSchema }) => {
        if (jsonSchema.type === 'object' && jsonSchema.properties) jsonSchema.additionalProperties ??= false;
      },
    });
    return JSON.parse(JSON.stringify(json)) as JsonObject;
  } catch (error) {
    throw new Fault('invalid-pipeline', `The schema of a structured answer cannot be written as JSON Schema: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
