export { formatCount } from '../kit/format-count.ts';

/** Formats a rate: `3.4/s`, `120/s`, `5.6 k/s`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 10_000) return `${(perSecond / 1000).toFixed(1)} k/s`;
  return `${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`;
}

/** Formats a duration: `350 ms`, `12.3 s`, `4 min 05 s`, `2 h 10 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Formats an amount of money: `$0.0042`, `$1.50`, `$1,234.00`. */
export const formatDollars = (amount: number): string => (amount >= 0.1 ? dollars.format(amount) : `$${Number(amount.toPrecision(2))}`);

const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
