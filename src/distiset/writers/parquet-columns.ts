import type { SchemaElement } from 'hyparquet-writer';
import { Fault } from '../../kit/fault.ts';
import { canonicalJson, type Json } from '../../kit/json.ts';
import { typeName, type ColumnType } from './column-type.ts';

/** Returns the Parquet schema elements of a column. Every element is optional, so that null is allowed at any depth. */
export function schemaElements(name: string, type: ColumnType): readonly SchemaElement[] {
  const repetition_type = 'OPTIONAL' as const;
  switch (type.kind) {
    case 'string':
      return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type }];
    // Readers handle Parquet's JSON type differently, but all of them read text.
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

/** Counts texts with lone surrogates, which UTF-8 cannot hold. */
export interface Replacements {
  count: number;
}

/**
 * Converts a row's value for the Parquet writer. Lone surrogates become U+FFFD and are counted. Throws `Fault('value-not-of-type')`, because the writer itself
 * would write an unreadable file.
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
      return BigInt(toInteger(value, type));
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
      // Own members only, because a field called `constructor` may be missing.
      for (const { name, type: field } of type.fields) {
        members[name] = Object.hasOwn(from, name) ? parquetValue(from[name], field, replaced) : null;
      }
      return members;
    }
  }
}

/** Returns the integer of a value in an integer column. Throws `Fault('value-not-of-type')`. */
export const toInteger = (value: Json, type: ColumnType): number =>
  typeof value === 'number' && Number.isInteger(value) ? value : refuse(value, type);

const shownMax = 60;

function refuse(value: Json, type: ColumnType): never {
  const shown = canonicalJson(value);
  throw new Fault(
    'value-not-of-type',
    `The column's schema says ${typeName(type)}, but a row has ${shown.length > shownMax ? `${shown.slice(0, shownMax)}…` : shown}.`,
  );
}
