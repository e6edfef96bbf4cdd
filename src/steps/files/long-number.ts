/** A number in JSON that a JavaScript number might not hold: an integer outside the safe range, or a number that was rounded. It represents the number until its column is known. */
export class LongNumber {
  /** Its digits, as the file has them. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Whether it has neither a fraction nor an exponent. */
  get isInteger(): boolean {
    return integerPattern.test(this.text);
  }
}

const integerPattern = /^-?\d+$/;

/** A number with 16 digits or an exponent of three. Shorter ones are always exact. */
const longPattern = /[\d.]{16}|\d[eE][+-]?\d{3}/;

/** Returns whether a JSON text may hold a `LongNumber`. It is a quick check: texts with many digits pass it, too. */
export const mayHoldLongNumber = (json: string): boolean => longPattern.test(json);

/** Parses JSON like `JSON.parse`, with a `LongNumber` for each number that may have lost digits. */
export function parseWithLongNumbers(json: string): unknown {
  const plain: unknown = JSON.parse(json);
  if (!mayHoldLongNumber(json)) return plain;
  try {
    return JSON.parse(json, reviveNumber as (key: string, value: unknown) => unknown);
  } catch (error) {
    // Values nested this deep are refused elsewhere.
    if (error instanceof RangeError) return plain;
    throw error;
  }
}

function reviveNumber(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value;
  return isExact(source) && (Number.isSafeInteger(value) || !integerPattern.test(source)) ? value : new LongNumber(source);
}

/**
 * Returns whether a decimal and the JavaScript number that it is converted to have the same digits. The decimal is either the shortest text of that number, as
 * most programs write it, or a fraction with more of its digits, correctly rounded. An integer must be the shortest text, because rows are written that way.
 */
export function isExact(decimal: string): boolean {
  const value = Number(decimal);
  if (!Number.isFinite(value)) return false;
  const expected = significantDigits(decimal);
  const { length } = expected.digits;
  if (length <= exactDigitsMax && (value !== 0 || length === 0) && Math.abs(value) >= normalMin) return true;
  const isSame = (text: string) => {
    const actual = significantDigits(text);
    return actual.digits === expected.digits && (length === 0 || actual.exponent === expected.exponent);
  };
  if (isSame(String(value))) return true;
  return !integerPattern.test(decimal) && length > 0 && length <= precisionMax && isSame(value.toPrecision(length));
}

/** Maximum number of digits with which every decimal is the same after a conversion to a number and back. */
const exactDigitsMax = 15;
/** The smallest number of full precision. */
const normalMin = 2.2250738585072014e-308;
/** The most digits that `toPrecision` returns. */
const precisionMax = 100;

/** Returns the digits of a decimal without zeros around them, and the power of ten of the last one. */
function significantDigits(decimal: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', power = '0'] = decimal.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  const all = `${whole}${fraction}`;
  const cut = all.replace(/0+$/, '');
  return { digits: cut.replace(/^0+/, ''), exponent: Number(power) - fraction.length + (all.length - cut.length) };
}
