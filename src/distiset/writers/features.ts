import type { ColumnType } from './column-type.ts';
import type { Format } from './row-file.ts';

/** A feature in the YAML of a dataset card. */
export type Feature = string | readonly NamedFeature[] | { readonly list: Feature } | { readonly struct: readonly NamedFeature[] };
/** A feature with its name. */
export interface NamedFeature {
  readonly name: string;
  readonly dtype?: string;
  readonly list?: Feature;
  readonly struct?: readonly NamedFeature[];
}

/**
 * Describes a column for `dataset_info` of Hugging Face's `datasets`. JSON text in a Parquet or CSV file is a `string`, which every version supports. JSON in a
 * JSONL file is `json`; otherwise `datasets` guesses the type, and guesses wrong if the first rows are of one kind.
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

/** Describes the item of a list, which has no name: the name of its type, or its structure. */
function itemFeature(type: ColumnType, format: Format): Feature {
  const { dtype, list, struct } = feature('', type, format);
  if (dtype !== undefined) return dtype;
  return list === undefined ? (struct ?? []) : { list };
}
