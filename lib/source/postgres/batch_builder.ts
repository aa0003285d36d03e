/** One micro-batch while it is being spooled. */
import type { LetterDraft } from "../../change/dead_letter.ts";
import type { DatasetChanges, MicroBatch, SpoolSegment } from "../../change/micro_batch.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import type { CapturedTable } from "./captured_table.ts";
import { formatLsn } from "./lsn.ts";
import { removeFiles, type SpoolFile, type SpoolFolder } from "./spool_folder.ts";
import { type RefusedValue, TupleSpool } from "./tuple_spool.ts";

/** What a {@linkcode BatchBuilder} works with. */
export interface BatchBuilderOptions {
  readonly folder: SpoolFolder;
  readonly instance: string;
  readonly afterLsn: bigint;
  readonly maxValueBytes: number;
}

interface OpenSegment {
  readonly spool: TupleSpool;
  readonly file: SpoolFile;
  readonly columns: SpoolSegment["columns"];
  readonly schemaChanges: readonly SchemaChange[];
}

/** One table's part of the batch. */
class TableChanges {
  readonly table: CapturedTable;
  readonly segments: OpenSegment[] = [];
  readonly deadLetters: LetterDraft[] = [];
  /** Takes the next row; undefined before the first one of a relation version. */
  spool: TupleSpool | undefined;
  truncatedBefore: bigint | undefined;
  recopyReason: string | undefined;

  constructor(table: CapturedTable) {
    this.table = table;
  }
}

/** A batch being filled. */
export class BatchBuilder {
  readonly afterLsn: bigint;
  /** Rows so far; the next row's ordinal. */
  rows = 0;
  /** Bytes of row messages so far. */
  messageBytes = 0;
  /** Clock at the first change. */
  startedMs = 0;
  commitTimeMs: number | undefined;
  /** The server waits for the end of this batch. */
  recordNow = false;
  readonly #options: BatchBuilderOptions;
  readonly #tables = new Map<number, TableChanges>();

  constructor(options: BatchBuilderOptions) {
    this.#options = options;
    this.afterLsn = options.afterLsn;
  }

  /** Whether there is anything to hand out. */
  get isEmpty(): boolean {
    return this.#tables.size === 0;
  }

  /** Where the rows of a table go. */
  spoolOf(table: CapturedTable): TupleSpool | undefined {
    const changes = this.#changesOf(table);
    return changes.spool ?? this.#openSegment(changes);
  }

  /** Counts a row and gives its ordinal. */
  nextOrdinal(messageBytes: number): number {
    this.messageBytes += messageBytes;
    return this.rows++;
  }

  /** The table's rows so far are gone. */
  truncate(table: CapturedTable): void {
    this.#changesOf(table).truncatedBefore = BigInt(this.rows);
  }

  /** The next row is of another version. */
  endSegment(table: CapturedTable): void {
    const changes = this.#tables.get(table.oid);
    if (changes !== undefined) changes.spool = undefined;
  }

  /** Row events of the table do not tell everything. The first reason stays. */
  requireCopy(table: CapturedTable, reason: string): void {
    this.#changesOf(table).recopyReason ??= reason;
  }

  /** Ends the batch: everything is on disk when the promise settles. */
  async finish(toLsn: bigint): Promise<MicroBatch> {
    const { instance } = this.#options;
    const changes = new Map([...this.#tables.values()].map((table) => [table.table.source, datasetChanges(table)]));
    const files = this.#files();
    const settled = await Promise.allSettled(files.map((file) => file.end()));
    const paths = files.map((file) => file.path);
    const failed = settled.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      await removeFiles(paths);
      throw failed.reason;
    }
    return {
      after: { instance, offset: formatLsn(this.afterLsn) },
      to: { instance, offset: formatLsn(toLsn) },
      commitTimeMs: this.commitTimeMs ?? Date.now(),
      rows: this.rows,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      changes,
      recordNow: this.recordNow,
      release: () => removeFiles(paths),
    };
  }

  /** Gives the batch up. */
  async discard(): Promise<void> {
    await Promise.all(this.#files().map((file) => file.discard()));
  }

  #files(): readonly SpoolFile[] {
    return [...this.#tables.values()].flatMap((table) => table.segments.map((segment) => segment.file));
  }

  #changesOf(table: CapturedTable): TableChanges {
    let changes = this.#tables.get(table.oid);
    if (changes === undefined) {
      changes = new TableChanges(table);
      this.#tables.set(table.oid, changes);
      if (this.startedMs === 0) this.startedMs = Date.now();
    }
    return changes;
  }

  #openSegment(changes: TableChanges): TupleSpool | undefined {
    const { table } = changes;
    if (table.detachedReason !== undefined) {
      changes.recopyReason ??= table.detachedReason;
      return undefined;
    }
    const { maxValueBytes, folder } = this.#options;
    const file = folder.open();
    const spool = new TupleSpool({
      file,
      columnCount: table.columns.length,
      keyColumns: table.keyColumns,
      maxValueBytes,
      onRefused: (refused) => changes.deadLetters.push(this.#deadLetter(table, refused)),
    });
    changes.segments.push({ spool, file, columns: table.columns, schemaChanges: table.takePending() });
    changes.spool = spool;
    return spool;
  }

  #deadLetter(table: CapturedTable, refused: RefusedValue): LetterDraft {
    const column = refused.column === undefined ? undefined : table.columns[refused.column]?.name;
    const key = refused.key && JSON.stringify(
      Object.fromEntries(refused.key.map((text, index) => [table.dataset.key[index] ?? "", text])),
    );
    return {
      ordinal: BigInt(refused.ordinal),
      ...(key === undefined ? {} : { key }),
      ...(column === undefined ? {} : { column }),
      reason: `${refused.bytes} bytes of text, more than maxValueBytes (${this.#options.maxValueBytes})`,
    };
  }
}

function datasetChanges(changes: TableChanges): DatasetChanges {
  const { table, truncatedBefore, recopyReason } = changes;
  return {
    source: table.source,
    key: table.dataset.key,
    segments: changes.segments.filter((segment) => segment.spool.rows > 0 || segment.schemaChanges.length > 0)
      .map(spoolSegment),
    ...(truncatedBefore === undefined ? {} : { truncatedBefore }),
    deadLetters: changes.deadLetters,
    ...(recopyReason === undefined ? {} : { recopyReason }),
  };
}

function spoolSegment({ spool, file, columns, schemaChanges }: OpenSegment): SpoolSegment {
  const { rows, inserts, updates, deletes, keyChanges, unchangedRows } = spool;
  return {
    layout: "changes",
    paths: [file.path],
    columns,
    rows,
    inserts,
    updates,
    deletes,
    keyChanges,
    unchangedRows,
    longestLineBytes: file.longestRowBytes,
    schemaChanges,
  };
}
