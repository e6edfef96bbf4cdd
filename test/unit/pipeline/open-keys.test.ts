import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalJson } from '../../../src/kit/json.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { decodeDocument, documentChunk } from '../../../src/rows/index.ts';
import { checkpointsSchema, definitionSchema } from '../../../schema/index.ts';

const odd = JSON.parse('{"a":[{"__proto__":{"b":1}}],"constructor":2}') as never;

/** A pipeline whose step has captures and a column of these. */
const planned = (captures: never, column: z.ZodType<string>) =>
  plan(
    pipeline('odd', ({ source }) => {
      source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] }).map('step', {
        output: z.object({ c: column }),
        captures,
        run: () => ({ c: '' }),
      });
    }),
  );

describe('a key called __proto__', () => {
  it('in captures is stored in the definition and read back', () => {
    const { definition } = planned(odd, z.string());
    const read = decodeDocument(documentChunk(definition).bytes, definitionSchema);
    expect(canonicalJson(read.steps[1]?.captures)).toBe(canonicalJson(odd));
    expect(canonicalJson(read)).toBe(canonicalJson(definition));
  });

  it('in a checkpoint is read by a later attempt', () => {
    const checkpoints = { signature: 's', made: [{ row: 0, name: 'outline', value: odd }] };
    expect(canonicalJson(decodeDocument(documentChunk(checkpoints).bytes, checkpointsSchema))).toBe(canonicalJson(checkpoints));
  });

  it('in a column of objects is refused with the definition', () => {
    const shape = JSON.parse('{"__proto__":1}', (key, value: unknown) => (key === '__proto__' ? z.string() : value)) as never;
    expect(() => planned(null as never, z.object(shape) as never)).toThrow(
      /column c has a member called __proto__, which cannot be stored: rename it/,
    );
  });
});
