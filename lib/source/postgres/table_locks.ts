/** Locks that keep tables as they are while something is read of them. */
import { WeirError } from "../../errors.ts";
import { failPoint } from "../../fail_point.ts";
import type { CatalogueTable } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { codeOf } from "./postgres_error.ts";
import type { SharedSnapshot } from "./shared_snapshot.ts";
import { qualifiedName } from "./source_table.ts";

const snapshotAttempts = 10;
/** What PostgreSQL says of a lock that it would have to wait for. */
const lockNotAvailable = "55P03";

/** What {@linkcode snapshotOfLocked} needs. */
export interface LockedSnapshotOptions {
  /** Holds the locks: in a transaction when the promise settles. */
  readonly guard: PostgresConnection;
  /** The tables as the catalogue has them now, asked on `guard`. */
  readonly current: () => Promise<readonly CatalogueTable[]>;
  readonly openSnapshot: () => Promise<SharedSnapshot>;
}

/**
 * A snapshot, and locks that keep the tables as they are in it. Locks come second: an ALTER TABLE that waits for one is a
 * running transaction, which the snapshot would wait for, with everybody who wants the table behind it. So a table that has
 * changed in between asks for another snapshot. Throws `conflict` where that goes on and on.
 *
 * The snapshot's connections hold the same locks: one that asked for its own when it reads a table would wait behind an ALTER
 * TABLE that waits for the guard, and neither would ever end.
 */
export async function snapshotOfLocked(options: LockedSnapshotOptions): Promise<SharedSnapshot> {
  const { guard, current } = options;
  for (let attempt = 1; attempt <= snapshotAttempts; attempt++) {
    const before = await current();
    const snapshot = await options.openSnapshot();
    try {
      await failPoint("copy.afterSnapshot");
      await guard.run("BEGIN");
      const tables = await current();
      await lockTables(guard, tables);
      await failPoint("copy.afterLocks");
      const isSame = JSON.stringify(await current()) === JSON.stringify(before);
      if (isSame && await areLockedToo(snapshot, tables)) return snapshot;
      await guard.run("ROLLBACK");
    } catch (thrown) {
      await snapshot.close();
      throw thrown;
    }
    await snapshot.close();
  }
  throw new WeirError("conflict", `Tables to copy were altered during each of ${snapshotAttempts} snapshots`, {
    advice: "Start again once the changes to the tables' columns are done",
  });
}

/** Locks the tables on every connection of a snapshot. False where somebody waits for one of them, and would wait for ever. */
async function areLockedToo({ connections }: SharedSnapshot, tables: readonly CatalogueTable[]): Promise<boolean> {
  try {
    for (const connection of connections) await lockTables(connection, tables, { waits: false });
    return true;
  } catch (thrown) {
    if (thrown instanceof WeirError && codeOf(thrown.cause) === lockNotAvailable) return false;
    throw thrown;
  }
}

/**
 * Locks tables, and the partitions of a partitioned one, for the rest of the transaction. Readers and writers go on; only
 * ALTER TABLE and the like wait.
 */
export async function lockTables(
  guard: PostgresConnection,
  tables: readonly CatalogueTable[],
  { waits = true }: { readonly waits?: boolean } = {},
): Promise<void> {
  const noWait = waits ? "" : " NOWAIT";
  for (const table of tables) {
    const only = table.kind === "r" ? "ONLY " : "";
    await guard.run(`LOCK TABLE ${only}${qualifiedName(table)} IN ACCESS SHARE MODE${noWait}`);
  }
}
