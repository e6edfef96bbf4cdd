import { memberOf } from './describe-thrown.ts';

/**
 * Marks a class and its subclasses with the symbol `Symbol.for('distilog.NAME')`. Returns a function that recognizes their instances from any copy of this
 * package, because `instanceof` knows only its own copy. The function never throws.
 */
export function brandClass<T extends object>(type: { readonly prototype: T }, name: string): (value: unknown) => value is T {
  const brand = Symbol.for(`distilog.${name}`);
  Object.defineProperty(type.prototype, brand, { value: true });
  return (value): value is T => memberOf(value, brand) === true;
}
