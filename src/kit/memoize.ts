/** Returns a function that calls `create` once per key and keeps every result, even a promise that rejects. */
export function memoize<Key, Value>(create: (key: Key) => Value): (key: Key) => Value {
  const values = new Map<Key, { readonly value: Value }>();
  return (key) => {
    const known = values.get(key) ?? { value: create(key) };
    values.set(key, known);
    return known.value;
  };
}
