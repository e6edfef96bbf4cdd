import type { ColumnType } from './column-type.ts';

/** A feature as the YAML of a dataset card writes it. */
export type Feature = string | readonly NamedFeature[] | { readonly list: Feature } | { readonly struct: readonly NamedFeature[] };
export interface NamedFeature {
  readonly name: string;
  readonly dtype?: string;
  readonly list?: Feature;
  readonly struct?: readonly NamedFeature[];
}

/** A column as Hugging Face's `datasets` describes it in `dataset_info`. */
export function feature(name: string, type: ColumnType): NamedFeature {
  switch (type.kind) {
    case 'string':
    case 'json':
      return { name, dtype: 'string' };
    case 'boolean':
      return { name, dtype: 'bool' };
    case 'integer':
      return { name, dtype: 'int64' };
    case 'double':
      return { name, dtype: 'float64' };
    case 'list':
      return { name, list: itemFeature(type.item) };
    case 'struct':
      return { name, struct: type.fields.map((field) => feature(field.name, field.type)) };
  }
}

/** A list's item has no name: a type's name, or what it is made of. */
function itemFeature(type: ColumnType): Feature {
  const { dtype, list, struct } = feature('', type);
  if (dtype !== undefined) return dtype;
  return list === undefined ? (struct ?? []) : { list };
}
