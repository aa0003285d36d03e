/** The server's log: what a slot still holds of it. */
import assert from "node:assert/strict";
import type pg from "pg";

/** Waits until the one slot lets go of everything that is in the log now. The limit is milliseconds. */
export async function untilReleased(client: pg.Client, limitMs = 40_000): Promise<void> {
  const { rows: [now] } = await client.query("SELECT pg_current_wal_lsn()::text AS lsn");
  for (const startMs = performance.now();;) {
    const { rows } = await client.query(
      "SELECT confirmed_flush_lsn >= $1::pg_lsn AS released FROM pg_replication_slots WHERE NOT temporary",
      [now.lsn],
    );
    if (rows.length === 1 && rows[0].released) return;
    assert.ok(performance.now() - startMs < limitMs, `the log is held back for more than ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
