/**
 * A table in Apache Paimon's file-system layout, written without Java: keyed tables with fixed buckets and sorted level-0
 * files, tables without a key as appended files.
 *
 * Promise: a change and its position become visible together in one snapshot, whose file name is taken atomically; what a
 * stopped commit left behind is never read. Every file is written the way Paimon 1.x and pypaimon read it.
 */
import type { Position } from "../../change/position.ts";
import type { CommitResult, Scan, TableChange } from "../../change/sink.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { Connection } from "../../engine/connection.ts";
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { LakeTable } from "../lake_table.ts";
import { isPut, putCommit, putHints } from "./commit.ts";
import { tableLayout } from "./layout.ts";
import { emptyState, loadState } from "./load_state.ts";
import { MetadataReader } from "./metadata_reader.ts";
import { prepareChange, type PreparedChange, type PrepareOptions } from "./prepare.ts";
import { scanState } from "./scan_sql.ts";
import { encodeSchema, firstSchema, sameColumns } from "./schema.ts";
import { stageChange, type StagedCommit, type StageOptions, stagePosition } from "./stage.ts";
import type { PaimonState } from "./table_state.ts";

/** Which table, and what it is written with. */
export interface PaimonTableOptions {
  readonly storage: Storage;
  readonly connection: Connection;
  /** Warehouse folder below the storage root, e.g. `paimon`. */
  readonly folder: string;
  /** Paimon database. */
  readonly namespace: string;
  readonly name: string;
  /** Buckets of a keyed table that is created; an existing table keeps its own. Default 2: one file a core and commit. */
  readonly buckets?: number;
  /** Whose commits carry the position. A compactor must use another. Default `weir`. */
  readonly commitUser?: string;
  /** Clock, epoch milliseconds. Default the system's. */
  readonly now?: () => number;
}

/** A Paimon table. */
export class PaimonTable implements LakeTable<PaimonState, PreparedChange, StagedCommit> {
  readonly format = "paimon";
  readonly namespace: string;
  readonly name: string;
  readonly location: string;
  readonly #options: PaimonTableOptions;
  readonly #reader: MetadataReader;
  /** The newest state this instance has seen. */
  #known: PaimonState | undefined;

  constructor(options: PaimonTableOptions) {
    const buckets = options.buckets ?? 1;
    if (!Number.isInteger(buckets) || buckets < 1) {
      throw new RangeError(`Cannot make a table of ${buckets} buckets: expected a whole number from 1`);
    }
    this.#options = options;
    this.namespace = options.namespace;
    this.name = options.name;
    this.#reader = new MetadataReader(options.storage, tableLayout(options.folder, options));
    this.location = options.storage.uri(this.#reader.layout.folder);
  }

  async load(): Promise<PaimonState | undefined> {
    if (this.#known?.snapshotId !== undefined && await this.#isNewest(this.#known.snapshotId)) return this.#known;
    this.#known = await loadState(this.#reader, this.#commitUser);
    if (this.#known?.snapshot !== undefined) await this.#mendHint(this.#known.snapshot.id);
    return this.#known;
  }

  async create(definition: TableDefinition): Promise<PaimonState> {
    const schema = firstSchema(definition, { buckets: this.#options.buckets ?? 2, timeMillis: this.#now() });
    const path = this.#reader.layout.schema(0);
    if (await this.#options.storage.putIfAbsent(path, encodeSchema(schema))) {
      this.#known = emptyState(schema);
      return this.#known;
    }
    const found = await this.load();
    if (found === undefined || !sameColumns(found.schema, schema)) {
      const table = `${this.namespace}.${this.name}`;
      throw new WeirError("precondition", `A Paimon table ${table} with other columns is there already`, {
        detail: { table, path },
        advice: "Use another --lake, or remove the table's folder",
      });
    }
    return found;
  }

  async prepare(state: PaimonState, change: TableChange): Promise<PreparedChange> {
    return await prepareChange(state, change, this.#prepareOptions());
  }

  combine(parts: readonly [PreparedChange, ...PreparedChange[]]): PreparedChange {
    const [first, ...rest] = parts;
    if (rest.some(({ base, schema }) => base.snapshotId !== first.base.snapshotId || schema.id !== first.schema.id)) {
      throw new TypeError("Cannot combine parts that were prepared on different states");
    }
    return {
      ...first,
      additions: parts.flatMap((part) => part.additions),
      paths: parts.flatMap((part) => part.paths),
      deletions: parts.find((part) => part.truncate)?.deletions ?? [],
      truncate: parts.some((part) => part.truncate),
    };
  }

  stage(state: PaimonState, prepared: PreparedChange): StagedCommit {
    return stageChange(state, prepared, this.#stageOptions());
  }

  async commit(staged: StagedCommit): Promise<CommitResult> {
    const { result, next } = await putCommit(staged, { storage: this.#options.storage, reader: this.#reader });
    this.#known = next;
    return result;
  }

  async isCommitted(staged: StagedCommit): Promise<boolean> {
    return await isPut(staged, this.#reader);
  }

  /**
   * Files fit as long as their sequence numbers are above every other's and their schema is the next one. A truncate names
   * each file it removes, so it fits no other snapshot.
   */
  stillFits(state: PaimonState, prepared: PreparedChange): boolean {
    if (state.schema.id !== prepared.base.schemaId) return false;
    if (prepared.truncate && state.snapshotId !== prepared.base.snapshotId) return false;
    return prepared.additions.every(({ _BUCKET, _FILE }) =>
      _FILE._MIN_SEQUENCE_NUMBER > (state.sequenceNumbers.get(_BUCKET) ?? -1n)
    );
  }

  async discard(prepared: PreparedChange): Promise<void> {
    for (const path of prepared.paths) await this.#options.storage.delete(path);
  }

  async recordPosition(state: PaimonState, position: Position | undefined): Promise<CommitResult> {
    return await this.commit(stagePosition(state, position, this.#stageOptions()));
  }

  async scan(state: PaimonState): Promise<Scan> {
    return await scanState(state, { storage: this.#options.storage, layout: this.#reader.layout });
  }

  async #isNewest(id: bigint): Promise<boolean> {
    const { layout } = this.#reader;
    const { storage } = this.#options;
    return await storage.stat(layout.snapshot(id + 1n)) === undefined &&
      await storage.stat(layout.snapshot(id)) !== undefined;
  }

  /** A commit that was stopped before its hints leaves them behind; pypaimon 1.x believes them. */
  async #mendHint(newest: bigint): Promise<void> {
    const { storage } = this.#options;
    const hint = await storage.read(this.#reader.layout.latestHint);
    if (hint === undefined || new TextDecoder().decode(hint).trim() !== String(newest)) {
      await putHints({ id: newest }, { storage, reader: this.#reader });
    }
  }

  #prepareOptions(): PrepareOptions {
    const { storage, connection } = this.#options;
    return { storage, connection, layout: this.#reader.layout, reader: this.#reader, nowMs: this.#now() };
  }

  #stageOptions(): StageOptions {
    return { commitUser: this.#commitUser, nowMs: this.#now() };
  }

  get #commitUser(): string {
    return this.#options.commitUser ?? "weir";
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}
