const whole = new Intl.NumberFormat('en-US');

/** Returns a count as text: 1234567 as `1,234,567`. */
export const formatCount = (count: number): string => whole.format(Math.round(count));
