/** A type with readonly properties and elements at every depth. Events and their data never change. */
export type Immutable<T> = T extends readonly (infer I)[]
  ? number extends T['length']
    ? readonly Immutable<I>[]
    : { readonly [K in keyof T]: Immutable<T[K]> }
  : T extends object
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T;
