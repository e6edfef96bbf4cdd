import { ageInWords } from '../kit/age.ts';
import { systemClock } from '../kit/clock.ts';
import { parseInstant, type Timestamp } from '../kit/instant.ts';

/** Formats a timestamp in local time, to the second: `2026-11-24 10:30:00`. */
export function formatLocalTime(timestamp: Timestamp): string {
  const at = new Date(parseInstant(timestamp) / 1_000);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

/** Formats the age of a timestamp: `5 minutes ago`. */
export const formatAge = (timestamp: Timestamp): string => `${ageInWords((systemClock() - parseInstant(timestamp)) / 1_000)} ago`;
