import type { SchemaElement } from 'hyparquet-writer';
import { Fault } from '../../kit/fault.ts';
import { canonicalJson, type Json } from '../../kit/json.ts';
import { typeName, type ColumnType } from './column-type.ts';

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

/**
 * A row's value as the Parquet writer takes it. Lone surrogates become U+FFFD, and are counted. Throws `Fault('value-not-of-type')`: the writer itself
 * would write a file that nobody can read.
 */
export function parquetValue(value: Json | undefined, type: ColumnType, replaced: Replacements): unknown {
  if (value === undefined || value === null) return null;
  switch (type.kind) {
    case 'json':
      return canonicalJson(value);
    case 'string':
      if (typeof value !== 'string') return refuse(value, type);
      if (value.isWellFormed()) return value;
      replaced.count++;
      return value.toWellFormed();
    case 'integer':
      return BigInt(integerIn(value, type));
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse(value, type);
    case 'double':
      return typeof value === 'number' ? value : refuse(value, type);
    case 'list':
      return Array.isArray(value) ? value.map((item: Json) => parquetValue(item, type.item, replaced)) : refuse(value, type);
    case 'struct': {
      if (typeof value !== 'object' || Array.isArray(value)) return refuse(value, type);
      const from = value as { readonly [key: string]: Json };
      const members: Record<string, unknown> = {};
      // Own members only: a field may be called `constructor`, and be missing.
      for (const { name, type: field } of type.fields) {
        members[name] = Object.hasOwn(from, name) ? parquetValue(from[name], field, replaced) : null;
      }
      return members;
    }
  }
}

/** The integer that a value of an integer column is. Throws `Fault('value-not-of-type')`. */
export const integerIn = (value: Json, type: ColumnType): number =>
  typeof value === 'number' && Number.isInteger(value) ? value : refuse(value, type);

const shownMax = 60;

function refuse(value: Json, type: ColumnType): never {
  const shown = canonicalJson(value);
  throw new Fault(
    'value-not-of-type',
    `The column's schema says ${typeName(type)}, but a row has ${shown.length > shownMax ? `${shown.slice(0, shownMax)}…` : shown}.`,
  );
}
