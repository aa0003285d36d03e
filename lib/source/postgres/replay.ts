/**
 * The source beside a capture that another process runs, or nobody: as it is at one point, and what happened to it between that
 * point and where the lake stands.
 *
 * Promise: nothing of the capture is disturbed. Its slot is looked at and never moved; what is made at the source is one temporary
 * slot, gone with its connection.
 */
import { join } from "node:path";
import type { MicroBatch } from "../../change/micro_batch.ts";
import type { Position } from "../../change/position.ts";
import type { VerificationPoint } from "../../change/source.ts";
import { WeirError } from "../../errors.ts";
import { CapturedTable } from "./captured_table.ts";
import { type ChangeConnection, ChangeStream } from "./change_stream.ts";
import { CutPoints } from "./cut_points.ts";
import { findSources, type FoundSource, type WantedSource } from "./find_sources.ts";
import { formatLsn, instanceOf, lsnOf } from "./lsn.ts";
import { PeekedChanges } from "./peeked_changes.ts";
import { readServerState } from "./preflight.ts";
import { readPublication } from "./publication.ts";
import { RelationMemory } from "./relation_memory.ts";
import { RelationResolver } from "./relation_resolver.ts";
import { ReplicationConnection } from "./replication_connection.ts";
import { openSharedSnapshot, type SharedSnapshot } from "./shared_snapshot.ts";
import { isStopping, SideConnection } from "./side_connection.ts";
import { assertSlot, readSlot } from "./slot.ts";
import { streamLimits } from "./source_options.ts";
import { SpoolFolder } from "./spool_folder.ts";
import { lockTables } from "./table_locks.ts";
import { openTransactions, telling } from "./telling.ts";
import { PostgresVerificationPoint } from "./verification_point.ts";

/** Of which capture, and for which tables. */
export interface ReplayOptions {
  readonly url: string;
  /** Absolute folder of its own, for spool files. */
  readonly folder: string;
  /** The capture's. */
  readonly slot: string;
  readonly publication: string;
  /** The tables to look at. */
  readonly sources: readonly WantedSource[];
  /** Bytes of text above which a value is left out, as at the capture. Default 64 MiB. */
  readonly maxValueBytes?: number;
  /** Milliseconds to wait for running transactions. Default 600,000. */
  readonly snapshotWaitMs?: number;
  /** Told what keeps it waiting once it has waited for some seconds. */
  readonly onWait?: (text: string) => void;
}

/** How a capture stands. */
export interface CaptureStanding {
  /** Whether a job reads the slot. */
  readonly isRead: boolean;
  /** Up to where the slot has let go of its changes; undefined where there is no slot. */
  readonly confirmed?: Position;
}

/** A point at the source, open for statements, with what led to it and what followed. */
export class ReplayPoint implements AsyncDisposable {
  readonly position: Position;
  /** The tables as they are at the point; locked against changes of their columns while it is open. */
  readonly sources: readonly FoundSource[];
  readonly #options: ReplayOptions;
  readonly #snapshot: SharedSnapshot;
  readonly #side: SideConnection;
  readonly #folder: SpoolFolder;
  readonly #point: PostgresVerificationPoint;
  readonly #found: Found;

  private constructor(options: ReplayOptions, parts: Parts) {
    this.#options = options;
    this.#snapshot = parts.snapshot;
    this.#side = parts.side;
    this.#folder = parts.folder;
    this.#found = parts.found;
    this.sources = parts.found.sources;
    this.position = { instance: parts.found.instance, offset: formatLsn(parts.snapshot.lsn) };
    this.#point = new PostgresVerificationPoint({
      position: this.position,
      snapshot: parts.snapshot,
      folder: parts.folder,
      comparable: (dataset) => Promise.resolve({ atSource: dataset, inLake: dataset, gone: [] }),
      onClose: () => {},
    });
  }

  /**
   * Opens a point at the source as it is now.
   *
   * Throws `precondition` for a table that cannot be read whole, `connection`, `authentication`, `conflict`.
   */
  static async open(options: ReplayOptions): Promise<ReplayPoint> {
    await using open = new AsyncDisposableStack();
    const side = new SideConnection(options.url);
    open.defer(() => side.close());
    const folder = new SpoolFolder(join(options.folder, "spool"));
    await folder.clear();
    const opening = openSharedSnapshot({
      url: options.url,
      connections: 1,
      connect: () => ReplicationConnection.open(options.url),
      onConsistentPoint: () => {},
      limitMs: options.snapshotWaitMs ?? 600_000,
      keepSlot: true,
    });
    const snapshot = await telling(opening, () => options.onWait?.(openTransactions));
    open.defer(() => snapshot.close());
    const found = await look(options, { side, snapshot });
    open.move();
    return new ReplayPoint(options, { snapshot, side, folder, found });
  }

  /** Runs one statement at the point and writes its rows as a spool file of layout `rows` to a path. */
  copyTo(statement: string, path: string): ReturnType<VerificationPoint["copyTo"]> {
    return this.#point.copyTo(statement, path);
  }

  /** How the capture stands now. Throws `connection`. */
  async standing(): Promise<CaptureStanding> {
    const slot = await this.#side.ask((connection) => readSlot(connection, this.#options.slot));
    if (slot === undefined) return { isRead: false };
    const { instance } = this.position;
    const confirmed = slot.confirmedLsn === undefined ? {} : {
      confirmed: { instance, offset: formatLsn(slot.confirmedLsn) },
    };
    return { isRead: slot.isActive, ...confirmed };
  }

  /** What happened after the point, in batches that end at each of the positions; ends with the last. To be asked once. */
  async *changesUpTo(positions: readonly Position[]): AsyncGenerator<MicroBatch> {
    const { slot } = this.#snapshot;
    if (slot === undefined) throw new TypeError("Cannot read a point's slot twice");
    yield* this.#changes(positions, {
      afterLsn: this.#snapshot.lsn,
      slot: slot.name,
      connect: () => Promise.resolve(slot.replication),
    });
  }

  /**
   * What happened since the first of the positions, in batches that end at the others and at the point. Read from the capture's
   * own slot, which keeps it.
   *
   * Throws `sourceLost` where the slot is gone or has let go of it, `fenced` where a job began to read it.
   */
  async *changesSince(positions: readonly Position[]): AsyncGenerator<MicroBatch> {
    const { instance } = this.position;
    const [first] = positions.map((position) => lsnOf(position, instance)).sort((left, right) => left < right ? -1 : 1);
    if (first === undefined) return;
    const { url, slot: name } = this.#options;
    const slot = await this.#side.ask((connection) => readSlot(connection, name));
    assertSlot(slot, { name, database: this.#found.database, recordedLsn: first });
    yield* this.#changes([...positions, this.position], {
      afterLsn: first,
      slot: name,
      connect: () => PeekedChanges.open(url, this.#snapshot.lsn),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#point.close();
    await this.#side.close();
  }

  async *#changes(
    positions: readonly Position[],
    from: { readonly afterLsn: bigint; readonly slot: string; readonly connect: () => Promise<ChangeConnection> },
  ): AsyncGenerator<MicroBatch> {
    const lsns = positions.map((position) => lsnOf(position, this.position.instance));
    const end = lsns.reduce((greatest, lsn) => lsn > greatest ? lsn : greatest, 0n);
    if (end <= from.afterLsn) return;
    const stream = this.#newStream({ ...from, cutPoints: new CutPoints(lsns.filter((lsn) => lsn > from.afterLsn)) });
    try {
      await stream.open();
      for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
        yield batch;
        if (lsnOf(batch.to, this.position.instance) >= end) return;
      }
    } finally {
      await stream.close();
    }
  }

  #newStream(
    { afterLsn, slot, connect, cutPoints }: {
      readonly afterLsn: bigint;
      readonly slot: string;
      readonly connect: () => Promise<ChangeConnection>;
      readonly cutPoints: CutPoints;
    },
  ): ChangeStream {
    const { url, publication, maxValueBytes } = this.#options;
    const { generatedColumns } = this.#found;
    const memory = new RelationMemory(join(this.#options.folder, "relations.json"), slot);
    const tables = new Map(
      this.sources.map(({ table, dataset, isDeclared }) =>
        [table.oid, new CapturedTable(table.oid, dataset, { isDeclared })] as const
      ),
    );
    const resolver = new RelationResolver({ side: this.#side, tables, memory, generatedColumns });
    let isConnected = false;
    return new ChangeStream({
      instance: this.position.instance,
      afterLsn,
      slot,
      publication,
      folder: this.#folder,
      memory,
      tables,
      cutPoints,
      // A slot that went with its connection cannot be connected to again.
      limits: {
        ...streamLimits({ url, folder: "", heartbeatMs: 100, reconnectMs: 0, batchBytes: 48 * 2 ** 20 }),
        ...(maxValueBytes === undefined ? {} : { maxValueBytes }),
      },
      connect: async () => {
        if (isConnected) throw new WeirError("connection", "The connection to the source was lost");
        isConnected = true;
        return await connect();
      },
      resolve: (message, place) => resolver.resolve(message, place),
      recordedLsn: () => afterLsn,
      isStopping: () => isStopping(url),
    });
  }
}

interface Found {
  readonly instance: string;
  readonly database: string;
  readonly generatedColumns: boolean;
  readonly sources: readonly FoundSource[];
}

interface Parts {
  readonly snapshot: SharedSnapshot;
  readonly side: SideConnection;
  readonly folder: SpoolFolder;
  readonly found: Found;
}

async function look(
  { url, publication, sources: wanted }: ReplayOptions,
  { side, snapshot }: Pick<Parts, "side" | "snapshot">,
): Promise<Found> {
  const connection = await side.get();
  const server = await readServerState(connection);
  const state = await readPublication(connection, publication);
  const generatedColumns = state?.storedGeneratedColumns ?? false;
  const search = { connection, wanted, user: server.user, generatedColumns };
  await lockTables(snapshot.connections[0]!, (await findSources(search)).map(({ table }) => table));
  const identifying = await ReplicationConnection.open(url);
  try {
    const instance = instanceOf(await identifying.identify());
    return { instance, database: server.database, generatedColumns, sources: await findSources(search) };
  } finally {
    await identifying.close();
  }
}
