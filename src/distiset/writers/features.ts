import type { ColumnType } from './column-type.ts';
import type { Format } from './row-file.ts';

/** A feature as the YAML of a dataset card writes it. */
export type Feature = string | readonly NamedFeature[] | { readonly list: Feature } | { readonly struct: readonly NamedFeature[] };
export interface NamedFeature {
  readonly name: string;
  readonly dtype?: string;
  readonly list?: Feature;
  readonly struct?: readonly NamedFeature[];
}

/**
 * A column as Hugging Face's `datasets` describes it in `dataset_info`. What is JSON text in a Parquet or CSV file is a `string`, which every version of it knows;
 * what is JSON as it is, in a JSONL file, is `json`, without which it guesses, and guesses wrong where the first rows are of one kind.
 */
export function feature(name: string, type: ColumnType, format: Format): NamedFeature {
  switch (type.kind) {
    case 'string':
      return { name, dtype: 'string' };
    case 'json':
      return { name, dtype: format === 'jsonl' ? 'json' : 'string' };
    case 'boolean':
      return { name, dtype: 'bool' };
    case 'integer':
      return { name, dtype: 'int64' };
    case 'double':
      return { name, dtype: 'float64' };
    case 'list':
      return { name, list: itemFeature(type.item, format) };
    case 'struct':
      return { name, struct: type.fields.map((field) => feature(field.name, field.type, format)) };
  }
}

/** A list's item has no name: a type's name, or what it is made of. */
function itemFeature(type: ColumnType, format: Format): Feature {
  const { dtype, list, struct } = feature('', type, format);
  if (dtype !== undefined) return dtype;
  return list === undefined ? (struct ?? []) : { list };
}
