import path from 'node:path';
import { nameLengthMax, namePattern } from '../../schema/index.ts';
import type { FileSample } from '../steps/index.ts';
import { formatCount } from './numbers.ts';
import { inferTextType, inferType, memberName, quote } from './infer-columns.ts';

/** A column of the generated pipeline. */
export interface InferredColumn {
  readonly name: string;
  /** Its zod type, as TypeScript. */
  readonly type: string;
}

/** Returns the columns of a sample that a row can have, with their inferred types. */
export function inferColumns({ format, columns, rows }: FileSample): readonly InferredColumn[] {
  const isOnce = (name: string) => columns.indexOf(name) === columns.lastIndexOf(name);
  return columns
    .filter((name) => isOnce(name) && canBeColumn(name))
    .map((name) => {
      const values = rows.map((row) => (Object.hasOwn(row, name) ? (row[name] ?? null) : null));
      return { name, type: format === 'csv' ? inferTextType(values as (string | null)[]) : inferType(values) };
    });
}

const canBeColumn = (name: string): boolean =>
  name !== '' && name !== '__proto__' && name.length <= nameLengthMax && !name.includes('\u0000') && name.isWellFormed();

/** Describes the rows of a sample: `first 200 rows and 200 rows spread over the rest`. */
export function describeSample({ rows, broken, spread = 0 }: FileSample): string {
  const first = rows.length + (spread > 0 ? broken.length - spread : 0);
  const counted = (count: number) => (count === 1 ? 'row' : `${formatCount(count)} rows`);
  return `first ${counted(first)}${spread > 0 ? ` and ${spread === 1 ? 'another row' : `${counted(spread)} spread over the rest`}` : ''}`;
}

/** Returns the text of a pipeline file that reads a file and, as an example, adds one column. */
export function pipelineText(file: string, out: string, sample: FileSample, columns: readonly InferredColumn[]): string {
  const { format, dialect } = sample;
  const options = Object.entries(dialect).map(([name, value]) => `      ${name}: ${quote(value)},`);
  return [
    `import { z } from 'zod';`,
    `import { ${format < 'pipeline' ? `${format}, pipeline` : `pipeline, ${format}`} } from 'distilog';`,
    '',
    `export default pipeline(${quote(pipelineName(file))}, ({ source }) => {`,
    `  // The columns were inferred from the ${describeSample(sample)}. A row that does not fit them is rejected with its place in the file.`,
    '  const rows = source(',
    `    'rows',`,
    `    ${format}(new URL(${quote(relativeUrl(file, out))}, import.meta.url), {`,
    ...options,
    '      output: z.object({',
    ...columns.map(({ name, type }) => `        ${memberName(name)}: ${type},`),
    '      }),',
    '    }),',
    '  );',
    '',
    '  // An example step: it adds the columns that it returns to each row. Call a model here.',
    ...exampleStep(columns),
    '});',
    '',
  ].join('\n');
}

function exampleStep(columns: readonly InferredColumn[]): readonly string[] {
  const text = columns.find(({ type }) => type === 'z.string()') ?? columns.find(({ type }) => type === 'z.string().nullable()');
  const names = columns.map(({ name }) => name);
  const added =
    ['characters', 'textLength', ...names.map((_, index) => `characters${index + 2}`)].find((name) => !names.includes(name)) ??
    'characters';
  const isPlain = text !== undefined && /^[A-Za-z_$][\w$]*$/.test(text.name) && !reserved.has(text.name);
  const value = text === undefined ? 'JSON.stringify(row)' : isPlain ? text.name : `row[${quote(text.name)}]`;
  const counted = text?.type === 'z.string().nullable()' ? `(${value} ?? '')` : value;
  return [
    `  rows.map('measured', {`,
    `    output: z.object({ ${added}: z.int() }),`,
    `    run: (${isPlain ? `{ ${text.name} }` : 'row'}) => ({ ${added}: ${counted}.length }),`,
    '  });',
  ];
}

/** Words that cannot be a variable's name in a module. */
const reserved = new Set(
  'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield'.split(
    ' ',
  ),
);

const nameLength = 40;

function pipelineName(file: string): string {
  const base = path
    .basename(file, path.extname(file))
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, nameLength);
  return namePattern.test(base) ? base : 'rows';
}

/** Returns the path from the pipeline's folder to the file, as a relative URL. */
function relativeUrl(file: string, out: string): string {
  const relative = path.relative(path.dirname(path.resolve(out)), path.resolve(file)).split(path.sep);
  const way = relative.map((part) => encodeURIComponent(part)).join('/');
  return way.startsWith('..') ? way : `./${way}`;
}
