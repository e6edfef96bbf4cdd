/** Returns a function that calls `create` once per key and keeps every result, even a promise that rejects. */
export function memoize<Key, Value>(create: (key: Key) => Value): (key: Key) => Value {
  const values = new Map<Key, { readonly value: Value }>();
  return (key) => {
    const known = values.get(key) ?? { value: create(key) };
    values.set(key, known);
    return known.value;
  };
}

/** Returns a function that calls `create` once per key and keeps every result but a rejected promise, so that a failed read is tried again. */
export function memoizeFulfilled<Key, Value>(create: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const values = new Map<Key, Promise<Value>>();
  return (key) => {
    const known = values.get(key);
    if (known) return known;
    const made = create(key);
    values.set(key, made);
    made.catch(() => values.delete(key));
    return made;
  };
}
