import { types } from 'node:util';

/** Description of a thrown value, in texts that can be shown and recorded. */
export interface ThrownDescription {
  /** Whether it is an error, of this realm or another. */
  readonly isError: boolean;
  /** An error's name, or the type of a value that is not an error: `string`, `object`. */
  readonly name: string;
  /** Never empty. */
  readonly message: string;
  /** Its own code (of distilog, Node or PostgreSQL), if that is a text. */
  readonly code: string | undefined;
  /** Empty if it has none. */
  readonly stack: string;
}

/**
 * Describes a thrown value of any kind. Never throws, whatever the value's getters, proxies and conversions do, because user code and dependencies may
 * throw anything.
 */
export function describeThrown(thrown: unknown): ThrownDescription {
  const isError = isErrorLike(thrown);
  const name = isError ? textOr(memberOf(thrown, 'name'), 'Error') : typeof thrown;
  const code = memberOf(thrown, 'code');
  const own = isError ? textOf(memberOf(thrown, 'message')) : textOf(thrown);
  return {
    isError,
    name,
    message: own || name,
    code: typeof code === 'string' ? code : undefined,
    stack: isError ? textOr(memberOf(thrown, 'stack'), '') : '',
  };
}

/** Reads a member of any value. Returns undefined if the value has no such member or reading it throws. */
export function memberOf(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return tryOr(() => (value as Readonly<Record<PropertyKey, unknown>>)[key], undefined);
}

/** Returns whether a value is an instance of a class. False for a proxy that throws when it is asked. */
export const isInstance = <T>(value: unknown, type: abstract new (...args: never[]) => T): value is T =>
  tryOr(() => value instanceof type, false);

/** Returns whether a value is an error, of this realm or another. */
export const isErrorLike = (value: unknown): value is Error => isInstance(value, Error) || types.isNativeError(value);

/** Maximum numbers of members and characters of a value that a message shows as JSON. */
const membersMax = 1_000;
const textMax = 1_000_000;

/** Returns a text for any value. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return 'undefined';
  const unreadable = typeof value === 'object' ? 'an object that cannot be read' : `a ${typeof value} that cannot be read`;
  if (typeof value === 'object') return tryOr(() => json(value), '') || tryOr(() => tagOf(value), '') || unreadable;
  return tryOr(() => String(value as bigint).slice(0, textMax), unreadable);
}

function json(value: object | null): string {
  let left = membersMax;
  const text: unknown = JSON.stringify(value, (_key, member: unknown) => {
    if (--left < 0) throw new RangeError('too many members');
    return typeof member === 'string' && member.length > textMax ? member.slice(0, textMax) : member;
  });
  return typeof text === 'string' ? text : '';
}

/** Returns the tag of an object, such as `[object Map]`. */
function tagOf(value: object | null): string {
  const tag: unknown = Object.prototype.toString.call(value);
  return typeof tag === 'string' ? tag : '';
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise);

function tryOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
