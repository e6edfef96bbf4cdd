import { z } from 'zod';
import { Fault, messageOf } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';

/** Returns the JSON Schema for a model's answer: the input of the zod schema. It allows only declared keys, as strict providers require. */
export function toAnswerSchema(schema: z.ZodObject): JsonObject {
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
    throw new Fault('invalid-pipeline', `The schema of a structured answer cannot be converted to JSON Schema: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
