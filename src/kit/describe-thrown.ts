import { types } from 'node:util';

/** A thrown value in texts that can be shown and recorded. */
export interface ThrownDescription {
  /** Whether it is an error, of this realm or another. */
  readonly isError: boolean;
  /** An error's name; of what is no error, its type: `string`, `object`. */
  readonly name: string;
  /** Never empty. */
  readonly message: string;
  /** Its own code (ours, Node's or PostgreSQL's), where that is a text. */
  readonly code: string | undefined;
  /** Empty where it has none. */
  readonly stack: string;
}

/**
 * Describes a thrown value of any kind. Total: it returns for each value that JavaScript can throw, whatever its getters, proxies and conversions do,
 * because user code and dependencies throw what they like.
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

/** Reads a member of any value. Undefined where the value has none, and where reading it throws. */
export function memberOf(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return attempted(() => (value as Readonly<Record<PropertyKey, unknown>>)[key], undefined);
}

/** Whether a value is an instance of a class. False for a proxy that does not let itself be asked. */
export const isInstance = <T>(value: unknown, type: abstract new (...args: never[]) => T): value is T =>
  attempted(() => value instanceof type, false);

/** Whether a value is an error, of this realm or another. */
export const isErrorLike = (value: unknown): value is Error => isInstance(value, Error) || types.isNativeError(value);

/** Members and characters of a value that are written as JSON: a message is no dump. */
const membersMax = 1_000;
const textMax = 1_000_000;

/** A text of any value; empty where nothing can be said of it. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return 'undefined';
  const unreadable = typeof value === 'object' ? 'an object that cannot be read' : `a ${typeof value} that cannot be read`;
  if (typeof value === 'object') return attempted(() => json(value), '') || attempted(() => tagOf(value), '') || unreadable;
  return attempted(() => String(value as bigint).slice(0, textMax), unreadable);
}

function json(value: object | null): string {
  let left = membersMax;
  const text: unknown = JSON.stringify(value, (_key, member: unknown) => {
    if (--left < 0) throw new RangeError('too many members');
    return typeof member === 'string' && member.length > textMax ? member.slice(0, textMax) : member;
  });
  return typeof text === 'string' ? text : '';
}

/** `[object Map]`. */
function tagOf(value: object | null): string {
  const tag: unknown = Object.prototype.toString.call(value);
  return typeof tag === 'string' ? tag : '';
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise);

function attempted<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
