// Values that user code and dependencies may throw or return, and that break what looks at them.
import fc from 'fast-check';

const broken = (): never => {
  throw new Error('a getter that throws');
};

/** An object whose every trap throws. */
export const hostileProxy = (): object =>
  new Proxy(
    {},
    new Proxy({} as ProxyHandler<object>, {
      get: () => broken,
    }),
  );

/** A proxy that was revoked: nothing can be asked of it, not even its class. */
export function revokedProxy(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function cyclic(): Error {
  const error = new Error('cyclic');
  error.cause = Object.assign(new Error('in between'), { cause: error });
  return error;
}

const texts = fc.oneof(
  fc.string(),
  fc.constantFrom('', '\u0000', '\ud800', 'x\udfff', '__proto__', 'a'.repeat(199) + '\u{1f600}', '-'.repeat(5_000)),
  fc.constant('huge '.repeat(100_000)),
);

type Make = () => unknown;

/** Makers of members: fast-check looks at the values that it makes, and these do not let themselves be looked at. */
const members: fc.Arbitrary<Make> = fc.oneof(
  texts.map(
    (text): Make =>
      () =>
        text,
  ),
  fc.constantFrom<unknown>(undefined, null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, true, false, 10n, Symbol('s')).map(
    (value): Make =>
      () =>
        value,
  ),
  fc.constantFrom<Make>(
    hostileProxy,
    revokedProxy,
    cyclic,
    () => () => 1,
    () => new Date(Number.NaN),
    () => Object.create(null),
  ),
  fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true, withSet: true, withSparseArray: true }).map(
    (value): Make =>
      () =>
        value,
  ),
);

const named = [
  'message',
  'name',
  'code',
  'stack',
  'cause',
  'retryable',
  'retryAfterMs',
  'pauses',
  'toString',
  'toJSON',
  'then',
  'constructor',
];

/** An error or object with members of any kind, some of them getters that throw. */
const withMembers: fc.Arbitrary<() => object> = fc
  .tuple(
    fc.constantFrom<() => object>(
      () => new Error('e'),
      () => new TypeError('t'),
      () => ({}),
      () => Object.create(null) as object,
      () => () => 1,
    ),
    fc.dictionary(fc.constantFrom(...named), fc.tuple(members, fc.boolean())),
  )
  .map(([make, given]) => () => {
    const value = make();
    for (const [key, [member, throws]] of Object.entries(given))
      Object.defineProperty(value, key, throws ? { get: broken, configurable: true } : { value: member(), configurable: true });
    return value;
  });

/** A maker of any value. */
export const oddValue: fc.Arbitrary<Make> = fc.oneof(
  members,
  withMembers,
  withMembers.map((make) => () => revokedProxy(make())),
  withMembers.map((make) => () => new Proxy(make(), {})),
);

/** One of each kind, by name. */
export const oddValues: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a symbol': () => Symbol('s'),
  'a bigint': () => 10n,
  'a function': () => broken,
  'a revoked proxy': () => revokedProxy(),
  'a revoked proxy of an error': () => revokedProxy(new Error('e')),
  'a proxy whose traps throw': hostileProxy,
  'a message that is no text': () => Object.assign(new Error('e'), { message: { not: 'a text' } }),
  'a message that is a symbol': () => Object.assign(new Error('e'), { message: Symbol('s') }),
  'a name that is no text': () => Object.assign(new Error('e'), { name: 7 }),
  'a code that is no text': () => Object.assign(new Error('e'), { code: { toString: broken } }),
  'a stack that is no text': () => Object.assign(new Error('e'), { stack: 7 }),
  'getters that throw': () => Object.defineProperties(new Error('e'), Object.fromEntries(named.map((name) => [name, { get: broken }]))),
  'a conversion that throws': () => ({ toJSON: broken, toString: broken, [Symbol.toPrimitive]: broken }),
  'a null prototype': () => Object.create(null) as unknown,
  'a cyclic cause': cyclic,
  'a cyclic object': () => {
    const object: { self?: unknown } = {};
    object.self = object;
    return object;
  },
  'a lone surrogate': () => new Error('\ud800'),
  'a name cut within a surrogate pair': () => Object.assign(new Error('e'), { name: 'a'.repeat(199) + '\u{1f600}' }),
  NUL: () => new Error('\u0000'),
  'an empty error': () => Object.assign(new Error(''), { name: '' }),
  'a huge message': () => new Error('huge '.repeat(400_000)),
  'a wait without end': () => Object.assign(new Error('e'), { retryAfterMs: Number.POSITIVE_INFINITY }),
};
