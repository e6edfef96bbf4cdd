/** Returns the wait in milliseconds that a provider asks for, or null: `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date. */
export function retryAfterMs(headers: Readonly<Record<string, string>> | undefined, now: number): number | null {
  const milliseconds = amount(headers?.['retry-after-ms']);
  if (milliseconds !== null) return milliseconds;
  const text = headers?.['retry-after'];
  const seconds = amount(text);
  if (seconds !== null) return seconds * 1000;
  const date = Date.parse(text ?? '');
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function amount(text: string | undefined): number | null {
  const trimmed = text?.trim() ?? '';
  return /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : null;
}
