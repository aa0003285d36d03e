/**
 * PostgreSQL as a source of changes: initial copy under an exported snapshot, then the logical replication stream from exactly
 * there, through one slot and one publication that are declared and never scripted.
 *
 * Promise: that of the `Source` contract, for PostgreSQL 13 and later. Where it cannot be kept (a lost, invalidated,
 * recreated or overtaken slot, another server, a restored backup) the source stops and says so; nothing is skipped in
 * silence. In the user's database nothing is made beyond slot and publication.
 */
import { join } from "node:path";
import type { MicroBatch } from "../../change/micro_batch.ts";
import type { Position } from "../../change/position.ts";
import type {
  ComparableDataset,
  CopyFailure,
  InitialCopyPart,
  RecordedPosition,
  Source,
  SourceLag,
  VerificationPoint,
} from "../../change/source.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import { identifier } from "../../engine/quote.ts";
import { toWeirError, WeirError } from "../../errors.ts";
import { CapturedTable } from "./captured_table.ts";
import { type CatalogueTable, tablesByOid } from "./catalogue.ts";
import { ChangeStream, type StreamLimits } from "./change_stream.ts";
import { PostgresConnection } from "./connection.ts";
import { comparableDataset } from "./comparable_dataset.ts";
import { CutPoints } from "./cut_points.ts";
import { takeDropped } from "./dropped_tables.ts";
import { publishedTable } from "./find_tables.ts";
import { copyTable } from "./initial_copy.ts";
import { formatLsn, lsnOf } from "./lsn.ts";
import { RelationMemory } from "./relation_memory.ts";
import { RelationResolver } from "./relation_resolver.ts";
import { ReplicationConnection } from "./replication_connection.ts";
import { lockTables, snapshotOfLocked } from "./table_locks.ts";
import { openSharedSnapshot, type SharedSnapshot } from "./shared_snapshot.ts";
import { isStopping, SideConnection } from "./side_connection.ts";
import { awaitFreeSlot, dropSlot, logicalSlots } from "./slot.ts";
import { SlotReader } from "./slot_reader.ts";
import { type PostgresSourceOptions, streamLimits } from "./source_options.ts";
import { SpoolFolder } from "./spool_folder.ts";
import { inspectTables, startCapture, type StartedCapture } from "./start_capture.ts";
import { prepareTableCopy } from "./table_copy.ts";
import { TableWatch } from "./table_watch.ts";
import { openTransactions, telling } from "./telling.ts";
import { PostgresVerificationPoint } from "./verification_point.ts";

/** Points opened for one verification, at most. */
const verificationAttempts = 5;

/** What {@linkcode PostgresSource.teardown} found. */
export interface TornDown {
  /** Whether there was a slot to drop. */
  readonly hadSlot: boolean;
  /** Logical slots that are left in the database: each makes the server keep its log. */
  readonly otherSlots: readonly string[];
}

/** PostgreSQL as a source. */
export class PostgresSource implements Source {
  /** `namespace.table` of tables captured once that the last start found dropped: told at one start only. */
  dropped: readonly string[] = [];
  readonly #options: PostgresSourceOptions;
  readonly #limits: StreamLimits;
  readonly #folder: SpoolFolder;
  readonly #side: SideConnection;
  readonly #reader: SlotReader;
  readonly #slot: string;
  readonly #publication: string;
  #started: StartedCapture | undefined;
  #tables = new Map<number, CapturedTable>();
  #memory: RelationMemory | undefined;
  #cutPoints = new CutPoints();
  #stream: ChangeStream | undefined;
  #recordedLsn = 0n;
  #handed: { readonly lsn: bigint; readonly commitTimeMs: number } | undefined;
  #watch: TableWatch | undefined;

  constructor(options: PostgresSourceOptions) {
    this.#options = options;
    this.#slot = options.slot ?? "weir";
    this.#publication = options.publication ?? "weir";
    this.#limits = streamLimits(options);
    this.#folder = new SpoolFolder(join(options.folder, "spool"));
    this.#side = new SideConnection(options.url);
    this.#reader = new SlotReader({
      url: options.url,
      slot: this.#slot,
      slotWaitMs: this.#slotWaitMs,
      side: this.#side,
    });
  }

  /** Contracts of the captured tables, as the stream has them now. Empty before {@linkcode start}. */
  get datasets(): readonly Dataset[] {
    return [...this.#tables.values()].map((table) => table.dataset);
  }

  /** Server version as PostgreSQL prints it, for example `18.4`. Empty before {@linkcode start}. */
  get version(): string {
    return this.#started?.server.versionText ?? "";
  }

  /** Names of what was made at the source. */
  get objects(): { readonly slot: string; readonly publication: string } {
    return { slot: this.#slot, publication: this.#publication };
  }

  /**
   * Contracts of the tables that would be captured, and the tables that were captured so far and would be no more. Nothing is
   * made at the source.
   *
   * Throws `precondition` naming what keeps a table from being captured, `connection`, `authentication`.
   */
  async inspect(): Promise<{ readonly datasets: readonly Dataset[]; readonly leftOut: readonly string[] }> {
    this.#requireTables();
    const connection = await this.#side.get();
    const names = { slot: this.#slot, publication: this.#publication };
    const { tables, leftOut } = await inspectTables({ ...this.#options, ...names, connection });
    return { datasets: tables.map(({ dataset }) => dataset), leftOut };
  }

  /**
   * Checks every precondition at once, refuses a slot that cannot carry on from the recorded positions, forgets those of tables
   * that a run has left out, and makes publication and slot where they are missing. Tables that are not named leave the
   * publication.
   *
   * Throws `precondition`, `connection`, `authentication`, `sourceLost`, `sourceMismatch`, `fenced`, `storage`.
   */
  async start(recorded: readonly RecordedPosition[]): Promise<void> {
    this.#requireTables();
    const started = await startCapture({
      ...this.#options,
      connection: await this.#side.get(),
      connect: () => ReplicationConnection.open(this.#options.url),
      slot: this.#slot,
      publication: this.#publication,
      slotWaitMs: this.#slotWaitMs,
      recorded,
    });
    await this.#folder.clear();
    const memory = new RelationMemory(
      join(this.#options.folder, "relations.json"),
      `${started.instance}/${started.server.database}/${this.#slot}`,
    );
    await memory.load();
    this.#memory = memory;
    this.#started = started;
    this.#tables = new Map(
      started.tables.map((
        { table, dataset, isDeclared },
      ) => [table.oid, new CapturedTable(table.oid, dataset, { isDeclared })]),
    );
    for (const { table } of started.tables) this.#tables.get(table.oid)?.checkHistory(table, memory);
    this.dropped = await takeDropped(memory, { connection: await this.#side.get(), captured: started.tables });
  }

  /** Copies datasets one after another under one exported snapshot. The tables' columns cannot change meanwhile. */
  async *copy(
    datasets: readonly Dataset[],
    signal: AbortSignal,
    onFailure?: CopyFailure,
  ): AsyncGenerator<InitialCopyPart> {
    const { instance, server } = this.#capture();
    const memory = this.#remembered();
    const { maxValueBytes } = this.#limits;
    const wanted = datasets.map((dataset) => this.#tableOf(dataset));
    const guard = await PostgresConnection.open(this.#options.url);
    let snapshot: SharedSnapshot | undefined;
    // Waiting for a lock ends with its connection.
    const stop = () => guard.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      snapshot = await snapshotOfLocked({
        guard,
        current: () => this.#current(guard, wanted),
        openSnapshot: () => this.#openSnapshot(this.#options.copyConnections ?? 2),
      });
      const { lsn, connections } = snapshot;
      const current = await this.#current(guard, wanted);
      for (const captured of wanted) {
        const table = current.find(({ oid }) => oid === captured.oid);
        const copy = await prepareTableCopy(guard, { captured, table, lsn, server, memory, maxValueBytes })
          .catch((thrown) => tellFailure(captured, { thrown, onFailure }));
        if (copy === undefined) continue;
        const partBytes = this.#options.copyPartBytes ?? 128 * 2 ** 20;
        yield* copyTable(copy, { instance, lsn, connections, folder: this.#folder, partBytes, maxValueBytes, signal });
      }
    } catch (thrown) {
      throw signal.aborted
        ? new WeirError("interrupted", "The initial copy was interrupted", { cause: thrown })
        : thrown;
    } finally {
      signal.removeEventListener("abort", stop);
      await snapshot?.close();
      await guard.close();
    }
  }

  /** Micro-batches after a position. Ends when the signal is aborted; what nobody took is removed. */
  async *changes(after: Position, cutAt: readonly Position[], signal: AbortSignal): AsyncGenerator<MicroBatch> {
    const { instance } = this.#capture();
    if (this.#stream !== undefined) throw new TypeError("Cannot read changes twice at the same time");
    const afterLsn = lsnOf(after, instance);
    for (const position of cutAt) this.#cutPoints.add(lsnOf(position, instance));
    const stream = this.#newStream(afterLsn);
    this.#stream = stream;
    this.#handed = { lsn: afterLsn, commitTimeMs: Date.now() };
    const stop = () => void stream.close();
    signal.addEventListener("abort", stop, { once: true });
    const watch = this.#newWatch(stream);
    this.#watch = watch;
    try {
      if (signal.aborted) return;
      // A verification point may have been opened before anybody watched: no batch may end there until the watch has looked.
      const goOn = stream.hold();
      await stream.open();
      await watch.start();
      for (const table of this.#tables.values()) {
        if (table.recopyReason !== undefined) stream.requireCopy(table, table.recopyReason);
      }
      goOn();
      for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
        this.#handed = { lsn: lsnOf(batch.to, instance), commitTimeMs: batch.commitTimeMs };
        yield batch;
      }
    } finally {
      watch.stop();
      signal.removeEventListener("abort", stop);
      await stream.close();
      this.#stream = undefined;
    }
  }

  /**
   * Opens the source as it is now; the running {@linkcode changes} ends a batch exactly there. A table that changed without row
   * events before the point is named in a batch before it.
   *
   * Throws `conflict` where that happens each time that a point is being opened.
   */
  async verificationPoint(): Promise<VerificationPoint> {
    const { instance } = this.#capture();
    for (let attempt = 0; attempt < verificationAttempts; attempt++) {
      const watch = this.#watch;
      await watch?.look();
      const told = watch?.told;
      await using open = new AsyncDisposableStack();
      const snapshot = await this.#openSnapshot(1);
      open.defer(() => snapshot.close());
      await watch?.look();
      if (watch?.told !== told) continue;
      open.move();
      return this.#pointOver(snapshot, instance);
    }
    throw new WeirError("conflict", "Tables are rewritten at the source each time that a verification point is opened");
  }

  #pointOver(snapshot: SharedSnapshot, instance: string): VerificationPoint {
    const { lsn } = snapshot;
    return new PostgresVerificationPoint({
      position: { instance, offset: formatLsn(lsn) },
      snapshot,
      folder: this.#folder,
      comparable: (dataset, connection) => this.#comparable(dataset, { connection, lsn }),
      onClose: this.#remembered().hold(lsn),
    });
  }

  /** Locks the table first: its columns are found by name, whatever snapshot a statement sees its rows by. */
  async #comparable(
    dataset: Dataset,
    point: { readonly connection: PostgresConnection; readonly lsn: bigint },
  ): Promise<ComparableDataset> {
    const table = this.#tableOf(dataset);
    const version = this.#remembered().at(table.oid, point.lsn);
    const current = () => this.#side.ask((side) => this.#current(side, [table]));
    await lockTables(point.connection, await current());
    const [[then], [now]] = [await this.#current(point.connection, [table]), await current()];
    if (version === undefined || then === undefined || now === undefined) {
      return { atSource: table.dataset, inLake: table.dataset, gone: [] };
    }
    const columns = [...table.dataset.columns, ...dataset.columns];
    return comparableDataset({ ...table.dataset, columns }, { version, then, now });
  }

  acknowledge(position: Position): void {
    const lsn = lsnOf(position, this.#capture().instance);
    if (lsn <= this.#recordedLsn) return;
    this.#recordedLsn = lsn;
    this.#memory?.prune(lsn);
  }

  compare(left: Position, right: Position): number {
    const { instance } = this.#capture();
    const difference = lsnOf(left, instance) - lsnOf(right, instance);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  distanceBytes(from: Position, to: Position): number {
    const { instance } = this.#capture();
    return Number(lsnOf(to, instance) - lsnOf(from, instance));
  }

  /** Against the server's log end as of at most a second ago. */
  lag(): SourceLag {
    if (this.#handed === undefined) return { bytes: 0, seconds: 0 };
    const walEndLsn = this.#watch?.walEndLsn ?? 0n;
    const bytes = Number(walEndLsn - this.#handed.lsn);
    const isBehind = this.#stream?.hasUntaken(walEndLsn) ?? false;
    const seconds = isBehind ? (Date.now() - this.#handed.commitTimeMs) / 1000 : 0;
    return { bytes: Math.max(0, bytes), seconds: Math.max(0, seconds) };
  }

  async close(): Promise<void> {
    await this.#stream?.close();
    await this.#side.close();
  }

  /** Drops slot and publication, where they are there, and says what there was. Works without {@linkcode start}. Throws `fenced` while in use. */
  async teardown(): Promise<TornDown> {
    const connection = await this.#side.get();
    await awaitFreeSlot(connection, this.#slot, this.#slotWaitMs);
    const hadSlot = await dropSlot(connection, this.#slot);
    await connection.run(`DROP PUBLICATION IF EXISTS ${identifier(this.#publication)}`);
    return { hadSlot, otherSlots: await logicalSlots(connection) };
  }

  get #slotWaitMs(): number {
    return this.#options.slotWaitMs ?? 5000;
  }

  #requireTables(): void {
    const { datasets = [], tables = [] } = this.#options;
    if (datasets.length + tables.length === 0) throw new TypeError("Cannot capture nothing: give datasets or tables");
  }

  #capture(): StartedCapture {
    if (this.#started === undefined) throw new TypeError("Cannot use a source before start()");
    return this.#started;
  }

  #remembered(): RelationMemory {
    if (this.#memory === undefined) throw new TypeError("Cannot use a source before start()");
    return this.#memory;
  }

  #tableOf(dataset: Dataset): CapturedTable {
    const source = `${dataset.source.namespace}.${dataset.source.table}`;
    const table = [...this.#tables.values()].find((candidate) => candidate.source === source);
    if (table === undefined) throw new RangeError(`Cannot copy ${source}: it is not captured`);
    return table;
  }

  /** The tables as the catalogue has them now; without those that were dropped. */
  async #current(connection: PostgresConnection, wanted: readonly CapturedTable[]): Promise<readonly CatalogueTable[]> {
    const found = await tablesByOid(connection, wanted.map((table) => table.oid));
    return wanted.flatMap(({ oid }) => found.filter((table) => table.oid === oid))
      .map((table) => publishedTable(table, this.#capture().generatedColumns));
  }

  /** Holds the stream while the slot is made, so that it cannot pass the point before the point is known. */
  async #openSnapshot(connections: number): Promise<SharedSnapshot> {
    const release = this.#stream?.hold();
    try {
      const opening = openSharedSnapshot({
        url: this.#options.url,
        connections,
        connect: () => ReplicationConnection.open(this.#options.url),
        onConsistentPoint: (lsn) => {
          this.#cutPoints.add(lsn);
          release?.();
        },
        limitMs: this.#options.snapshotWaitMs ?? 600_000,
      });
      return await telling(opening, () => this.#options.onWait?.(openTransactions));
    } finally {
      release?.();
    }
  }

  #newStream(afterLsn: bigint): ChangeStream {
    const { instance, generatedColumns, server: { database } } = this.#capture();
    const memory = this.#remembered();
    const resolver = new RelationResolver({ side: this.#side, tables: this.#tables, memory, generatedColumns });
    return new ChangeStream({
      instance,
      afterLsn,
      slot: this.#slot,
      publication: this.#publication,
      folder: this.#folder,
      memory,
      tables: this.#tables,
      cutPoints: this.#cutPoints,
      limits: this.#limits,
      connect: (lsn) => this.#reader.open(lsn, { instance, database }),
      resolve: (message, place) => resolver.resolve(message, place),
      recordedLsn: () => this.#recordedLsn,
      isStopping: () => isStopping(this.#options.url),
    });
  }

  #newWatch(stream: ChangeStream): TableWatch {
    return new TableWatch({
      side: this.#side,
      publication: this.#publication,
      generatedColumns: this.#capture().generatedColumns,
      tables: this.#tables,
      memory: this.#remembered(),
      onRecopy: (table, reason) => stream.requireCopy(table, reason),
      onFailure: (error) => stream.fail(error),
    });
  }
}

/** What became of the table since the start may keep it from being copied, and no other. */
function tellFailure(
  { dataset, source }: CapturedTable,
  { thrown, onFailure }: { readonly thrown: unknown; readonly onFailure: CopyFailure | undefined },
): undefined {
  const error = toWeirError(thrown, "internal", { table: source });
  if (onFailure === undefined || error.kind !== "precondition") throw error;
  onFailure(dataset, error);
}
