import { memberOf } from './describe-thrown.ts';

/**
 * Marks a class and its subclasses with the symbol `Symbol.for('distilog.NAME')`. Returns the function that recognizes their instances, whichever copy of
 * this package made them: `instanceof` knows its own copy only. The function never throws.
 */
export function brandClass<T extends object>(type: { readonly prototype: T }, name: string): (value: unknown) => value is T {
  const brand = Symbol.for(`distilog.${name}`);
  Object.defineProperty(type.prototype, brand, { value: true });
  return (value): value is T => memberOf(value, brand) === true;
}
