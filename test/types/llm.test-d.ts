// Uses of the steps that call models which must compile, and which must not. Checked by `tsc`; nothing here runs.
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import {
  chatGeneration,
  hasPreference,
  judge,
  languageModel,
  structuredGeneration,
  textGeneration,
  toDpo,
  toSft,
  type AnySdkModel,
} from '../../src/llm/index.ts';
import { renamed, type Builder, type Node } from '../../src/pipeline/index.ts';

declare const { source }: Builder<{}>;
/** The row type of a node, written out. */
declare function row<R>(node: Node<R>): { [K in keyof R]: R[K] };
declare const sdkModel: AnySdkModel;
declare const count: number;

const model = languageModel('tiny', { temperature: 0, requestsPerMinute: 60 });
const asked = source('asked', { output: z.object({ instruction: z.string(), level: z.int() }), rows: [] });
const topics = source('topics', { output: z.object({ topic: z.string() }), rows: [] });

// One answer or several, by the number literal.
const one = asked.map('one', textGeneration({ model }), { concurrency: 50 });
expectTypeOf(row(one)).toEqualTypeOf<{ instruction: string; level: number; generation: string; modelName: string }>();
const several = asked.map('several', textGeneration({ model: sdkModel, numGenerations: 3, temperature: 1 }));
expectTypeOf(row(several)).toEqualTypeOf<{ instruction: string; level: number; generations: string[]; modelName: string }>();
// @ts-expect-error the count must be a number literal: the columns follow from it
asked.map('unknown', textGeneration({ model, numGenerations: count }));

// Rows without an instruction need a prompt, which gets the row of the previous step.
// @ts-expect-error there is no instruction
topics.map('none', textGeneration({ model }));
topics.map('template', textGeneration({ model, prompt: 'On {{ topic }}' }));
topics.map('function', textGeneration({ model, prompt: ({ topic }) => topic.toUpperCase() }));
topics.map('several', textGeneration({ model, prompt: (row) => row.topic, numGenerations: 2 }));
// @ts-expect-error there is no such column
topics.map('function', textGeneration({ model, prompt: ({ topc }) => `${topc}` }));
// @ts-expect-error a prompt is text
topics.map('function', textGeneration({ model, prompt: ({ topic }) => topic.length }));
topics.map('renamed', renamed(textGeneration({ model }), { instruction: 'topic', generation: 'text' }));
// @ts-expect-error an instruction is text
source('numbers', { output: z.object({ instruction: z.int() }), rows: [] }).map('text', textGeneration({ model }));
// @ts-expect-error a model's name is not a model
textGeneration({ model: 'tiny' });
// @ts-expect-error there is no such setting
textGeneration({ model, temprature: 1 });

// Two models in one pipeline: the columns of the second are renamed.
// @ts-expect-error both write generation and modelName
one.map('two', textGeneration({ model }));
const two = one.map('two', renamed(textGeneration({ model }), { generation: 'other', modelName: 'otherModel' }));
expectTypeOf(row(two).other).toEqualTypeOf<string>();

// Data: a column for each member, or one for all of them.
const schema = z.object({ title: z.string(), stars: z.int() });
expectTypeOf(row(asked.map('data', structuredGeneration({ model, schema })))).toEqualTypeOf<{
  instruction: string;
  level: number;
  title: string;
  stars: number;
}>();
expectTypeOf(
  row(topics.map('data', structuredGeneration({ model, schema, column: 'review', prompt: ({ topic }) => topic }))),
).toEqualTypeOf<{
  topic: string;
  review: { title: string; stars: number };
}>();
declare const name: string;
// @ts-expect-error the column's name must be a literal
asked.map('data', structuredGeneration({ model, schema, column: name }));
// @ts-expect-error a Date is not stored
asked.map('data', structuredGeneration({ model, schema: z.object({ at: z.date() }) }));
// @ts-expect-error the column is there
asked.map('data', structuredGeneration({ model, schema: z.object({ level: z.int() }) }));

// From generation to preference.
const judged = several.map('judged', judge({ model, aspect: 'honesty' }));
expectTypeOf(row(judged).ratings).toEqualTypeOf<(number | null)[]>();
expectTypeOf(row(judged).rationales).toEqualTypeOf<string[]>();
// @ts-expect-error a single generation cannot be compared
one.map('judged', judge({ model }));
// @ts-expect-error there is no such aspect
judge({ model, aspect: 'beauty' });
const pairs = judged.filter('preferred', hasPreference()).map('pairs', toDpo());
expectTypeOf(row(pairs).chosen).toEqualTypeOf<{ role: 'system' | 'user' | 'assistant'; content: string }[]>();
// @ts-expect-error nothing was rated
several.map('pairs', toDpo());
expectTypeOf(row(one.map('sft', toSft())).prompt_id).toEqualTypeOf<string>();

// Conversations.
const message = z.object({ role: z.enum(['user', 'assistant']), content: z.string() });
const talk = source('talk', { output: z.object({ messages: z.array(message) }), rows: [] });
expectTypeOf(row(talk.map('chat', chatGeneration({ model }))).generation).toEqualTypeOf<string>();
// @ts-expect-error there is no conversation
asked.map('chat', chatGeneration({ model }));
