import pg from 'pg';
import { pause } from '../../src/kit/pause.ts';

/** Pause between two polls: long compared with a poll, short compared with the work. */
const pollMs = 10;

/** Waits until a query counts at least `wanted`. */
export async function untilCounted(url: string, sql: string, wanted: number): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (;;) {
      const { rows } = await client.query(sql);
      if (Number(rows[0].count) >= wanted) return;
      await pause(pollMs);
    }
  } finally {
    await client.end();
  }
}
