import { canonicalJson, type Json } from '#kit/json';
import type { SchemaElement } from 'hyparquet-writer';
import type { ColumnType } from './column-type.ts';

/** A column's part of a Parquet schema. Everything is optional: null is null, at any depth. */
export function schemaElements(name: string, type: ColumnType): readonly SchemaElement[] {
  const repetition_type = 'OPTIONAL' as const;
  switch (type.kind) {
    case 'string':
      return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type }];
    // Readers differ in what they make of Parquet's JSON type; all of them read text.
    case 'json':
      return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type }];
    case 'boolean':
      return [{ name, type: 'BOOLEAN', repetition_type }];
    case 'integer':
      return [{ name, type: 'INT64', repetition_type }];
    case 'double':
      return [{ name, type: 'DOUBLE', repetition_type }];
    case 'list':
      return [
        { name, converted_type: 'LIST', repetition_type, num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...schemaElements('element', type.item),
      ];
    case 'struct':
      return [
        { name, repetition_type, num_children: type.fields.length },
        ...type.fields.flatMap((field) => schemaElements(field.name, field.type)),
      ];
  }
}

/** Counts texts that UTF-8 cannot hold as they are. */
export interface Replacements {
  count: number;
}

/** A row's value as the Parquet writer takes it. Lone surrogates become U+FFFD, and are counted. */
export function parquetValue(value: Json | undefined, type: ColumnType, replaced: Replacements): unknown {
  if (value === undefined || (value === null && type.kind !== 'json')) return null;
  switch (type.kind) {
    case 'json':
      return value === null ? null : canonicalJson(value);
    case 'string': {
      const text = value as string;
      if (text.isWellFormed()) return text;
      replaced.count++;
      return text.toWellFormed();
    }
    case 'integer':
      return BigInt(value as number);
    case 'boolean':
    case 'double':
      return value;
    case 'list':
      return (value as readonly Json[]).map((item) => parquetValue(item, type.item, replaced));
    case 'struct': {
      const from = value as { readonly [key: string]: Json | undefined };
      return Object.fromEntries(type.fields.map((field) => [field.name, parquetValue(from[field.name], field.type, replaced)]));
    }
  }
}
