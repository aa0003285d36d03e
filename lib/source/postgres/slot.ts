/**
 * The replication slot: where the server holds its log for us.
 *
 * Promise: a slot that cannot send everything since the recorded positions is refused. The server itself would say
 * nothing: asked to start before its confirmed position, a slot starts at the confirmed one (design §10).
 */
import { literal } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import type { PostgresConnection } from "./connection.ts";
import { formatLsn, parseLsn } from "./lsn.ts";

/** A slot as `pg_replication_slots` shows it. */
export interface SlotState {
  readonly plugin: string;
  readonly database: string;
  readonly isActive: boolean;
  readonly confirmedLsn: bigint | undefined;
  /** Why the server gave the slot up; undefined while it can be read. */
  readonly lostReason: string | undefined;
}

/** Reads a slot; undefined where there is none. Fields are read as JSON, for versions differ in columns. */
export async function readSlot(connection: PostgresConnection, name: string): Promise<SlotState | undefined> {
  const row = await connection.row<{ slot: Readonly<Record<string, unknown>> }>(
    // Not as a parameter: a walsender does not take the extended query protocol.
    `SELECT to_json(s) AS slot FROM pg_replication_slots s WHERE s.slot_name = ${literal(name)}`,
  );
  if (row === undefined) return undefined;
  const { slot } = row;
  const confirmed = slot["confirmed_flush_lsn"];
  const reason = slot["invalidation_reason"] ??
    (slot["wal_status"] === "lost"
      ? "its log was removed"
      : slot["conflicting"] === true
      ? "it conflicted"
      : undefined);
  return {
    plugin: String(slot["plugin"]),
    database: String(slot["database"]),
    isActive: slot["active"] === true,
    confirmedLsn: typeof confirmed === "string" ? parseLsn(confirmed) : undefined,
    lostReason: typeof reason === "string" ? reason : undefined,
  };
}

/** What a slot is checked against. */
export interface SlotExpectation {
  readonly name: string;
  readonly database: string;
  /** The smallest recorded position; undefined where nothing is recorded yet. */
  readonly recordedLsn: bigint | undefined;
}

/** Throws where the slot cannot carry on from the recorded positions. Gives whether it has to be made. */
export function assertSlot(slot: SlotState | undefined, expected: SlotExpectation): { readonly isMissing: boolean } {
  const { name, recordedLsn } = expected;
  const position = recordedLsn === undefined ? {} : { position: formatLsn(recordedLsn) };
  if (slot === undefined) {
    if (recordedLsn === undefined) return { isMissing: true };
    throw new WeirError(
      "sourceLost",
      `Replication slot "${name}" is gone: the changes since ${formatLsn(recordedLsn)} cannot be read any more`,
      {
        detail: position,
        advice:
          "Where this lake was filled through another slot, name that one with --slot; otherwise start over with " +
          "--resync",
      },
    );
  }
  if (slot.plugin !== "pgoutput" || slot.database !== expected.database) {
    throw new WeirError(
      "sourceMismatch",
      `Replication slot "${name}" belongs to database "${slot.database}" and plugin "${slot.plugin}"`,
      { detail: position, advice: "Set POSTGRES_URL to that database, or choose another slot with --slot" },
    );
  }
  if (slot.lostReason !== undefined) {
    throw new WeirError("sourceLost", `Replication slot "${name}" was invalidated by the server: ${slot.lostReason}`, {
      detail: position,
    });
  }
  if (recordedLsn !== undefined && slot.confirmedLsn !== undefined && slot.confirmedLsn > recordedLsn) {
    throw new WeirError(
      "sourceLost",
      `Replication slot "${name}" stands at ${formatLsn(slot.confirmedLsn)}, ahead of the recorded ` +
        `${formatLsn(recordedLsn)}: it was advanced or made again, and the changes between are gone`,
      { detail: position },
    );
  }
  return { isMissing: false };
}

/**
 * Ends the server's side of a lost connection of ours: where no word gets through, the server itself would hold the slot until
 * its `wal_sender_timeout`. Whoever else reads the slot is left alone.
 */
export async function endReader(connection: PostgresConnection, name: string, processId: number): Promise<void> {
  await connection.run(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
     WHERE slot_name = ${literal(name)} AND active_pid = ${processId}`,
  );
}

/** Waits for another reader to let go of the slot. Throws `fenced` where it does not. */
export async function awaitFreeSlot(connection: PostgresConnection, name: string, limitMs: number): Promise<void> {
  const deadline = Date.now() + limitMs;
  while ((await readSlot(connection, name))?.isActive) {
    if (Date.now() >= deadline) {
      throw new WeirError("fenced", `Replication slot "${name}" is being read by another process`, {
        advice: "Stop the other job, or choose another slot for this one with --slot",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Makes the slot. The publication must be there already: changes are decoded with the catalogue of their time. */
export async function createSlot(connection: PostgresConnection, name: string): Promise<void> {
  await connection.rows("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
}

/** Drops the slot, and says whether there was one. Throws `fenced` while it is in use. */
export async function dropSlot(connection: PostgresConnection, name: string): Promise<boolean> {
  const dropped = await connection.rows(
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
    [name],
  );
  return dropped.length > 0;
}

/** Names of the logical slots of the connection's database, in order. */
export async function logicalSlots(connection: PostgresConnection): Promise<readonly string[]> {
  const rows = await connection.rows<{ slot_name: string }>(
    "SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY slot_name",
  );
  return rows.map(({ slot_name: name }) => name);
}
