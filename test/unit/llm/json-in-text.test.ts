// Shapes in which models wrap the JSON that they were asked for.
import { expect, it } from 'vitest';
import { readJsonInText } from '../../../src/llm/json-in-text.ts';

const json = '{"title":"Tea","stars":3}';
const tea = { title: 'Tea', stars: 3 };

it.each([
  ['JSON', json, tea],
  ['JSON between blanks', `\n ${json}\r\n`, tea],
  ['a fence', `\`\`\`json\n${json}\n\`\`\``, tea],
  ['a fence without a language', `\`\`\`\n${json}\n\`\`\``, tea],
  ['a fence on one line', `\`\`\`json ${json}\`\`\``, tea],
  ['a fence on one line without a language', `\`\`\`${json}\`\`\``, tea],
  ['a fence in prose', `Here it is:\n\`\`\`json\n${json}\n\`\`\`\nAnything else?`, tea],
  ['inline code', `The answer is \`${json}\`.`, tea],
  ['prose before and after', `Certainly! ${json} I hope that helps.`, tea],
  ['prose with brackets', `As {asked} in [1] and $\\frac{a}{b}$: ${json}`, tea],
  ['json tags', `<json>${json}</json>`, tea],
  ['json tags on lines of their own', `<json>\n${json}\n</json>`, tea],
  ['the same object twice', `${json} In a fence:\n\`\`\`\n{ "stars": 3, "title": "Tea" }\n\`\`\``, tea],
  ['think tags', `<think>{Tea?}</think>\n${json}`, tea],
  ['thinking tags', `<thinking>Maybe {"title":"Milk"}?</thinking>${json}`, tea],
  ['a bare closing tag', `Maybe {"title":"Milk"}?\n</think>\n\n${json}`, tea],
  ['a bare closing tag and a fence', `Maybe {"title":\n</think>\n\`\`\`json\n${json}\n\`\`\``, tea],
  ['reasoning that names its tag in code', `<think>I close with \`</think>\` {"a":1}</think>${json}`, tea],
  ['a tag in a value', '{"title":"</think>","stars":3}', { title: '</think>', stars: 3 }],
  ['a tag in a value in prose', 'Here: {"title":"a </think> b"} done.', { title: 'a </think> b' }],
  ['a fence and brackets in a value', 'So: {"title":"```{[\\"```"}', { title: '```{["```' }],
  ['nested objects', 'So: {"a":{"b":[{"c":1}]}}', { a: { b: [{ c: 1 }] } }],
  ['a number that cannot be stored', 'So: {"a":1e400}', { a: Number.POSITIVE_INFINITY }],
])('reads %s', (_shape, text, value) => {
  expect(readJsonInText(text)).toEqual({ kind: 'read', value });
});

it.each([
  ['prose', 'Certainly!', 'it is not JSON'],
  ['nothing', '', 'it is not JSON'],
  ['two different objects', `${json} or {"title":"Milk","stars":3}`, 'it contains 2 different JSON objects'],
  ['an object in a fence and another in prose', `First {"a":1}, then\n\`\`\`json\n${json}\n\`\`\``, 'it contains 2 different JSON objects'],
  ['two objects around a tag in code', '{"a":1} then `</think>` {"b":2}', 'it contains 2 different JSON objects'],
  ['two objects around a tag in a fence', '{"a":1}\n```\n</think>\n```\n{"b":2}', 'it contains 2 different JSON objects'],
  ['two objects, the first with a tag in a value', 'So {"a":"</think>"} and {"b":2}', 'it contains 2 different JSON objects'],
  ['the member of an array in prose', `Here: [${json}]`, 'it is not JSON'],
  ['the member of an array that is cut off', `Here: [${json}, {"title"`, 'it is not JSON'],
  ['the member of an object that is cut off', `{"review": ${json}, "more": `, 'it is not JSON'],
  ['the member of an object with a trailing comma', `{"review": ${json},}`, 'it is not JSON'],
  ['the member of a JavaScript object', `{ review: ${json} }`, 'it is not JSON'],
  ['the member of a Python dictionary', `{'review': ${json}}`, 'it is not JSON'],
  ['an object next to a damaged one', `${json} {"title": Tea}`, 'it is not JSON'],
  ['an object in reasoning that never ends', `<think>Maybe ${json}`, 'it is not JSON'],
  ['an object after very many brackets', `${'{'.repeat(100_000)}${json}`, 'it is not JSON'],
])('does not read %s', (_shape, text, why) => {
  expect(readJsonInText(text)).toEqual({ kind: 'unclear', why });
});

it('reads JSON of any length as a whole, and does not search a text that is too long', () => {
  const title = 'x'.repeat(2_000_000);
  expect(readJsonInText(JSON.stringify({ title }))).toEqual({ kind: 'read', value: { title } });
  expect(readJsonInText(`${title}${json}`)).toMatchObject({ kind: 'unclear' });
});

it('reads in a short time a text with an endless string full of escaped quotes', () => {
  const startedAt = performance.now();
  expect(readJsonInText(`{"a":"${String.raw`\"`.repeat(400_000)}\\`)).toMatchObject({ kind: 'unclear' });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
