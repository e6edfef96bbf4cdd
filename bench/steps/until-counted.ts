import pg from 'pg';
import { pause } from '../../src/kit/pause.ts';

/** How often it asks: seldom beside the work, often beside its length. */
const pollMs = 10;

/** Waits until a query counts that many. */
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
