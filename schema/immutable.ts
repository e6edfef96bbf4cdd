/** A type with every property and element readonly, at every depth: events and what they hold are never changed. */
export type Immutable<T> = T extends readonly (infer I)[]
  ? number extends T['length']
    ? readonly Immutable<I>[]
    : { readonly [K in keyof T]: Immutable<T[K]> }
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T;
