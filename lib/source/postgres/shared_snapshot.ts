/**
 * Connections that all see the source exactly as it was at one position.
 *
 * A temporary slot's consistent point divides transactions into those whose commit record starts before it, which its
 * exported snapshot shows, and the others, which the stream sends after it (PostgreSQL documentation, "Exported Snapshots").
 */
import { literal } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import { PostgresConnection } from "./connection.ts";
import type { ReplicationConnection } from "./replication_connection.ts";

/** What {@linkcode openSharedSnapshot} needs. */
export interface SharedSnapshotOptions {
  readonly url: string;
  /** How many connections. */
  readonly connections: number;
  readonly connect: () => Promise<ReplicationConnection>;
  /** Called with the position while the stream is still held before it. */
  readonly onConsistentPoint: (lsn: bigint) => void;
  /** Milliseconds to wait for the transactions running now to end. */
  readonly limitMs: number;
  /** Whether the slot stays, to be read from the point on. Default false. */
  readonly keepSlot?: boolean;
}

/** The connections. */
export interface SharedSnapshot {
  readonly lsn: bigint;
  readonly connections: readonly PostgresConnection[];
  /** The temporary slot that made the point, where it was to be kept, and the one connection that can read it. */
  readonly slot?: { readonly name: string; readonly replication: ReplicationConnection };
  close(): Promise<void>;
}

/** Opens connections under one exported snapshot. The temporary slot is gone when the promise settles, unless it is kept. */
export async function openSharedSnapshot(options: SharedSnapshotOptions): Promise<SharedSnapshot> {
  const replication = await options.connect();
  const connections: PostgresConnection[] = [];
  let isKept = false;
  const close = async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    if (isKept) await replication.close();
  };
  // A walsender waiting for transactions to end answers nothing else: cutting its socket is the way to give up.
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    replication.connection.destroy();
  }, options.limitMs);
  try {
    const name = `weir_snapshot_${crypto.randomUUID().replaceAll("-", "")}`;
    const { consistentLsn, snapshot } = await replication.createSnapshotSlot(name);
    clearTimeout(timer);
    options.onConsistentPoint(consistentLsn);
    for (let count = 0; count < options.connections; count++) {
      const connection = await PostgresConnection.open(options.url);
      connections.push(connection);
      await connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      await connection.run(`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`);
    }
    isKept = options.keepSlot ?? false;
    return { lsn: consistentLsn, connections, close, ...(isKept ? { slot: { name, replication } } : {}) };
  } catch (thrown) {
    await close();
    if (!isLate) throw thrown;
    throw new WeirError("conflict", `Transactions on the source server still ran after ${options.limitMs} ms`, {
      cause: thrown,
      advice: "A snapshot waits for transactions that began before it; try again when long ones have ended",
    });
  } finally {
    clearTimeout(timer);
    if (!isKept) await replication.close();
  }
}
