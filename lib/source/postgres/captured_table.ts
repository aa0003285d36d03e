/** One captured table as the stream has it now: dataset, relation version, and what the next segment has to say. */
import type { SpoolColumn } from "../../change/micro_batch.ts";
import type { Column } from "../../dataset/column.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import { evolveColumns, type SchemaChange } from "../../dataset/schema_change.ts";
import type { CatalogueTable } from "./catalogue.ts";
import type { RelationMessage } from "./pgoutput.ts";
import type { RelationMemory } from "./relation_memory.ts";
import {
  keyChangedReason,
  type RelationVersion,
  stepBetween,
  versionOfTable,
  type VersionStep,
} from "./relation_version.ts";
import { lakeNamed } from "./source_table.ts";
import { spoolColumn } from "./special_values.ts";

/** What a reading of the stream adds to a table; taken back when the stream is read again. */
interface Progress {
  readonly dataset: Dataset;
  readonly pending: readonly SchemaChange[];
}

/** A captured table. */
export class CapturedTable {
  readonly oid: number;
  /** `namespace.table`, under which its changes are handed out, whatever the table is called later. */
  readonly source: string;
  #now: Progress;
  #atCut: Progress;
  #columns: readonly SpoolColumn[] = [];
  #keyColumns: readonly number[] = [];
  /** Why no more changes of this table can be read. */
  detachedReason: string | undefined;
  /** Set where changes were missed before the stream began; gone once the table is copied. */
  recopyReason: string | undefined;
  /** Whether the contract was declared, rather than inferred from the catalogue. */
  readonly isDeclared: boolean;
  /** Definition marks of the last quiet change that was told, so that it is told once. */
  #toldMarks: string | undefined;

  constructor(oid: number, dataset: Dataset, options: { readonly isDeclared: boolean }) {
    this.oid = oid;
    this.isDeclared = options.isDeclared;
    this.source = `${dataset.source.namespace}.${dataset.source.table}`;
    this.#now = { dataset, pending: [] };
    this.#atCut = this.#now;
  }

  /** The contract as the stream has it now. */
  get dataset(): Dataset {
    return this.#now.dataset;
  }

  /** Columns in the order of the stream's tuples. */
  get columns(): readonly SpoolColumn[] {
    return this.#columns;
  }

  /** Places of the key columns among {@linkcode columns}, in key order. */
  get keyColumns(): readonly number[] {
    return this.#keyColumns;
  }

  /** Whether rows of a version stand in a segment as they do now: the server repeats itself whenever it is in doubt. */
  hasLayoutOf(version: RelationVersion): boolean {
    return JSON.stringify(layoutOf(version)) ===
      JSON.stringify({ columns: this.#columns, keyColumns: this.#keyColumns });
  }

  /** Takes a new version over. */
  apply(message: RelationMessage, version: RelationVersion, step: VersionStep): void {
    const { dataset, pending } = this.#now;
    const layout = layoutOf(version);
    this.#columns = layout.columns;
    this.#keyColumns = layout.keyColumns;
    const columns = evolveColumns(dataset.columns, step.schemaChanges);
    this.#now = {
      dataset: { ...dataset, key: version.key, columns: inSourceOrder(columns, version) },
      pending: [...pending, ...step.schemaChanges],
    };
    this.detachedReason = unreadableReason(message, this.#keyColumns);
  }

  /** The schema changes that the next segment carries; asked once a segment. */
  takePending(): readonly SchemaChange[] {
    const { pending, dataset } = this.#now;
    this.#now = { dataset, pending: [] };
    return pending;
  }

  /** Notices at the start what was missed: the table was captured before, and then made again, or changed quietly. */
  checkHistory(table: CatalogueTable, memory: RelationMemory): void {
    if (!memory.knows(this.source)) return;
    if (memory.latest(this.oid) === undefined) this.recopyReason = "the table was dropped and made again";
    else this.recopyReason = this.quietChange(table, memory);
  }

  /** A fresh copy holds everything. */
  copied(): void {
    this.recopyReason = undefined;
    this.#toldMarks = undefined;
  }

  /**
   * A change that no row event speaks of: a rewrite of a table in which nothing else happens, or its end. Told once.
   * What the stream will say of columns is left to the stream.
   */
  quietChange(table: CatalogueTable | undefined, memory: RelationMemory): string | undefined {
    const latest = memory.latest(this.oid);
    const marks = JSON.stringify(
      table === undefined ? null : [table.fileNode, table.leaves, table.typeForms, table.columns],
    );
    if (latest === undefined || marks === this.#toldMarks) return undefined;
    const reason = table === undefined
      ? "the table was dropped"
      : stepBetween(latest, versionOfTable(table, { source: this.source, key: latest.key })).recopyReason;
    if (reason !== undefined) this.#toldMarks = marks;
    return reason === keyChangedReason ? undefined : reason;
  }

  /** A batch ended here: the point to go back to when the stream is read again. */
  markCut(): void {
    this.#atCut = this.#now;
  }

  /** Goes back to the last cut; the stream sends its Relation messages again. */
  rewind(): void {
    this.#now = this.#atCut;
  }
}

function layoutOf(version: RelationVersion): {
  readonly columns: readonly SpoolColumn[];
  readonly keyColumns: readonly number[];
} {
  const columns = version.columns.map(({ name, type, listText }) =>
    spoolColumn(name, { type, ...(listText === undefined ? {} : { listText }) })
  );
  return { columns, keyColumns: version.key.map((name) => columns.findIndex((column) => column.name === name)) };
}

/** Without every key column in the replica identity, an update or delete does not say which row it means. */
function unreadableReason(message: RelationMessage, keyColumns: readonly number[]): string | undefined {
  const identified = keyColumns.every((place) => message.columns[place]?.inIdentity === true);
  return identified ? undefined : "the replica identity no longer holds the key";
}

function inSourceOrder(columns: readonly Column[], version: RelationVersion): readonly Column[] {
  return version.columns.map(({ name, sourceName, type }) => {
    const { sourceName: _, ...known } = columns.find((column) => column.name === name) ?? { nullable: true };
    return { ...known, ...lakeNamed(sourceName ?? name, name), type };
  });
}
