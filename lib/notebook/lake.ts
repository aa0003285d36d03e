/**
 * A lake opened for exploring: its tables by name, SQL over them, their past, and what is similar in them.
 *
 * Promise: needs no server and writes nothing to the lake. SQL sees the snapshots of when the lake was opened, so that two cells of a
 * notebook speak of the same rows whoever writes meanwhile; who wants newer ones opens it again. Histories and similar rows are those
 * of the tables as they are when asked for. Queries run at the same time if they are asked for at the same time.
 */
import { join } from "node:path";
import { Database } from "../engine/database.ts";
import { WeirError } from "../errors.ts";
import { changesBetween, rowHistory, type RowKey } from "../query/changes.ts";
import { openLake as openViews } from "../query/lake.ts";
import type { DamagedTable, TableFolder } from "../query/lake_folders.ts";
import type { LakePlace } from "../query/lake_tables.ts";
import { indexFolder } from "../query/similar/index_folder.ts";
import type { VectorIndex } from "../query/similar/vector_index.ts";
import { requirePast, tableAt } from "../query/time_travel.ts";
import type { RestCatalog } from "../table/iceberg/rest/rest_catalog.ts";
import { embeddedRowsSql, type EmbedRowsOptions } from "./embedded_rows.ts";
import { stateFolder } from "../settings/state_folder.ts";
import { type GivenRows, givenTable } from "./given_rows.ts";
import { jobsCatalog, jobsLake, readPlace } from "./lake_place.ts";
import { type LakeMoment, lakePoint, type TableMoment, tablePoint } from "./lake_point.ts";
import { type FormatChoice, formatOrder, LakeTables, tableColumns, type TableInLake, tableRow } from "./lake_table.ts";
import { rowChangeRows, snapshotRows } from "./past_rows.ts";
import { projectFolder } from "./project.ts";
import { QueryResult } from "./query_result.ts";
import { similarRows, type SimilarRowsOptions } from "./similar_rows.ts";
import { asSql, type InSql, sql, SqlPart } from "./sql_part.ts";
import { statementParts } from "./statement_parts.ts";
import { display, type Displayed, type MediaBundle } from "./table_display.ts";
import { makeTemporaryFolder } from "./temporary_folder.ts";
import { type VectorMapOptions, vectorMapSql } from "./vector_map.ts";

/** Which lake, at which point, and what it may use. */
export interface OpenLakeOptions {
  /**
   * The folder that a job writes to, relative to the working directory (for a notebook that is its own folder), or `s3://bucket/prefix`
   * or `gs://bucket/prefix`, reached with the keys that the environment or the project's `.env` have for the jobs. Default: the lake that
   * the jobs write to, as `WEIR_LAKE` there says; else `data/lake` in the project's folder.
   */
  readonly lake?: string;
  /** Default `newest`. */
  readonly at?: LakeMoment;
  /** Only tables of these formats; a table that stands in several is read in the first of them. Default iceberg, paimon, delta. */
  readonly formats?: readonly TableFolder["format"][];
  /** Keeps the versions of the lake's Iceberg tables, if one does. Default: for the lake of the jobs their catalog, if they have one. */
  readonly icebergCatalog?: RestCatalog;
  /** What DuckDB may hold in memory; more goes to disk. Default 1 GiB. */
  readonly memoryLimitBytes?: number;
  /** Threads of one query. Default: one for each core, 8 at most. */
  readonly threads?: number;
  /** For what does not fit into memory. Default: a new folder among the system's temporary ones (in a job: in `data/state`). Removed again. */
  readonly temporaryFolder?: string;
}

/** Which part of a table's past, of which format. */
export interface ChangesOptions extends FormatChoice {
  /** The changes after this point … */
  readonly from: TableMoment;
  /** … up to this one. Default: the snapshot that the lake was opened at. */
  readonly to?: TableMoment;
}

/**
 * Opens a lake for reading: without options the one that the jobs of this project fill. A table that is damaged is left out; the lake's
 * display says so, and who asks for it is told the reason.
 *
 * Throws `configuration` where it is not there, `precondition` where the tables are not known at the point asked for.
 *
 * @example
 * ```ts
 * import { withTemporaryFolder } from "../testing/temporary_folder.ts";
 * import { openLake } from "./lake.ts";
 * import assert from "node:assert/strict";
 *
 * await withTemporaryFolder(async (folder) => {
 *   await using lake = await openLake({ lake: folder });
 *   const result = await lake.sql`SELECT range AS id FROM range(5) WHERE id >= ${3}`;
 *   assert.deepEqual(await result.rows(), [{ id: 3n }, { id: 4n }]);
 * });
 * ```
 */
export async function openLake(options: OpenLakeOptions = {}): Promise<Lake> {
  await using open = new AsyncDisposableStack();
  const temporaryFolder = await makeTemporaryFolder(options.temporaryFolder);
  open.defer(() => Deno.remove(temporaryFolder, { recursive: true }));
  const { storage, folders } = await readPlace(options.lake ?? await jobsLake(), temporaryFolder);
  const { memoryLimitBytes = 2 ** 30, threads = Math.min(navigator.hardwareConcurrency, 8) } = options;
  const database = open.adopt(
    await Database.open({ folders: [...folders, temporaryFolder], temporaryFolder, memoryLimitBytes, threads }),
    (opened) => opened.close(),
  );
  const { formats = formatOrder, at = "newest" } = options;
  const icebergCatalog = options.icebergCatalog ?? (options.lake === undefined ? await jobsCatalog() : undefined);
  await icebergCatalog?.connect();
  const place = { storage, connection: await database.connect(), icebergCatalog };
  const damaged: DamagedTable[] = [];
  const views = await openViews({
    ...place,
    formats,
    at: lakePoint(at),
    onDamaged: (table) => damaged.push(table),
  });
  const tables = new LakeTables(views, { formats, damaged });
  await tables.nameIn(place.connection);
  return new Lake({ options, database, place, tables, opened: open.move() });
}

interface LakeParts {
  readonly options: OpenLakeOptions;
  readonly database: Database;
  readonly place: LakePlace;
  readonly tables: LakeTables;
  readonly opened: AsyncDisposableStack;
}

/**
 * An open lake: see {@linkcode openLake}.
 *
 * @example
 * ```ts
 * import { withDatabase } from "../testing/temporary.ts";
 * import { VectorLake } from "../testing/vector_lake.ts";
 * import { openLake } from "./lake.ts";
 * import assert from "node:assert/strict";
 *
 * await withDatabase(async (fixture) => {
 *   const notes = new VectorLake(fixture, { format: "paimon" });
 *   await notes.write([{ id: 1, text: "Rent of the flat" }]);
 *   const before = new Date();
 *   await notes.write([{ id: 1, text: "Rent of the house" }, { id: 2, text: "Petrol" }]);
 *   await using lake = await openLake({ lake: `${fixture.folder}/lake` });
 *
 *   const then = await lake.tableAt("desk.notes", before);
 *   const both = await lake.sql`SELECT old.note AS was, n.note FROM desk.notes AS n JOIN ${then} AS old USING (id)`;
 *   assert.deepEqual(await both.rows(), [{ was: "Rent of the flat", note: "Rent of the house" }]);
 *
 *   const changes = await lake.changes("desk.notes", { from: before });
 *   const counted = await lake.sql`SELECT change, count(*) AS n FROM ${changes} GROUP BY ALL ORDER BY change`;
 *   assert.deepEqual(await counted.rows(), [{ change: "insert", n: 1n }, { change: "update", n: 1n }]);
 * });
 * ```
 */
export class Lake implements AsyncDisposable, Displayed {
  readonly #parts: LakeParts;
  /** By their folders. */
  readonly #indexes = new Map<string, VectorIndex>();

  constructor(parts: LakeParts) {
    this.#parts = parts;
  }

  /** Its tables, one of each name. In SQL they are called `payments.transactions`; in a format of choice `delta_payments.transactions`. */
  get tables(): readonly TableInLake[] {
    return this.#parts.tables.named;
  }

  /**
   * Runs SQL. What is put into the template is bound as a value; tables, results, `identifier()` and pieces of `sql` become SQL.
   *
   * Throws what DuckDB says of SQL that it cannot run, and `tableUnreadable` where a file of a table is damaged.
   *
   * @throws {TypeError} If it is not one statement that reads, or DuckDB has no such value.
   */
  async sql(template: TemplateStringsArray, ...values: readonly unknown[]): Promise<QueryResult> {
    return await this.#result(sql(template, ...values));
  }

  /**
   * A table by its name, with or without its namespace, to be put into SQL.
   *
   * Throws `configuration` with the nearest name where there is none, `tableUnreadable` where it is damaged.
   */
  table(name: string, choice: FormatChoice = {}): TableInLake {
    return this.#parts.tables.find(name, choice);
  }

  /** The same lake at another point, to be closed by itself. */
  async at(moment: LakeMoment): Promise<Lake> {
    return await openLake({ ...this.#parts.options, at: moment });
  }

  /**
   * A table at another point, to be put into SQL beside those of now.
   *
   * Throws `precondition` where the table is not kept as it was then, `configuration` where there is no such table.
   */
  async tableAt(name: string, moment: TableMoment, choice: FormatChoice = {}): Promise<InSql> {
    const { place, opened } = this.#parts;
    const table = opened.use(await tableAt(this.table(name, choice), place, tablePoint(moment)));
    return { [asSql]: new SqlPart([`(${table.scan})`]) };
  }

  /** The snapshots of a table that are kept, oldest first: when, and at which source position. */
  async history(name: string, choice: FormatChoice = {}): Promise<QueryResult> {
    const { snapshots } = await requirePast(this.table(name, choice), this.#parts.place);
    return await this.#given(snapshotRows(snapshots));
  }

  /**
   * Rows of a table that differ between two points: `change`, `key`, and the row `before` and `after`.
   *
   * Throws `precondition` where one of them is not kept.
   */
  async changes(name: string, { from, to, ...choice }: ChangesOptions): Promise<QueryResult> {
    const { place, opened } = this.#parts;
    const table = this.table(name, choice);
    const { snapshotId } = table;
    const until = to ?? (snapshotId === undefined ? undefined : { snapshotId });
    const range = { from: tablePoint(from), ...(until === undefined ? {} : { to: tablePoint(until) }) };
    const { select } = opened.use(await changesBetween(table, place, range));
    return await this.#result(new SqlPart([select]));
  }

  /**
   * What became of one row through all kept snapshots, oldest first.
   *
   * @throws {RangeError} If these are not the table's key columns.
   */
  async rowHistory(name: string, key: RowKey, choice: FormatChoice = {}): Promise<QueryResult> {
    const table = this.table(name, choice);
    return await this.#given(rowChangeRows(await rowHistory(table, this.#parts.place, key), table));
  }

  /**
   * The rows of a table most similar to one of them or to a text, in the table's newest snapshot. In a large table the index is
   * asked that `deno task similar --index` made on this machine, if it did.
   *
   * Throws `precondition` where the table has no vectors, there is no such row, or the lake was opened at a point of the past.
   */
  async similar(name: string, options: SimilarRowsOptions): Promise<QueryResult> {
    const { place, options: { at = "newest" } } = this.#parts;
    if (at !== "newest") {
      throw new WeirError("precondition", "Similar rows are found in newest snapshots alone", {
        advice: "Open the lake without a point",
      });
    }
    const table = this.table(name, options);
    const { notes, ...rows } = await similarRows(place, { ...options, table, index: await this.#indexOf(table) });
    return await this.#given(rows, notes);
  }

  /**
   * The rows with `text`, what a job would embed of them, and `vector`, what a model makes of that (NULL where it can make nothing).
   * Columns of their own of these names give way: of rows that are embedded once more the last vectors are there.
   *
   * @throws {RangeError} If there are more than `most`.
   * @throws {TypeError} If a column is called `_ordinal` or `_delete`, which embedding needs itself.
   */
  async embed(rows: InSql, options: EmbedRowsOptions): Promise<QueryResult> {
    return await this.#result(await embeddedRowsSql(this.#parts.database, rows, options));
  }

  /**
   * The rows with `x` and `y` in place of their vector: where it lies along the two directions in which they differ most (principal
   * axes). Columns of their own of these names give way; rows without a vector, or with one that is not whole, are left out and counted
   * below the result.
   *
   * @throws {RangeError} If there are no vectors of two dimensions or more.
   */
  async vectorMap(rows: InSql, options: VectorMapOptions = {}): Promise<QueryResult> {
    const { part, notes } = await vectorMapSql(rows, { ...options, run: (asked) => this.#result(asked) });
    return await this.#result(part, notes);
  }

  /** Its tables, and which of them cannot be read. */
  async [display](): Promise<MediaBundle> {
    const rows = { columns: tableColumns, rows: this.tables.map(tableRow) };
    return await (await this.#given(rows, this.#parts.tables.notes))[display]();
  }

  /** Closes it, as `await using` does; results that still have to be computed cannot be read any more. */
  async close(): Promise<void> {
    await this.#parts.opened.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Kept open: a graph is read and checked whole. */
  async #indexOf(table: TableInLake): Promise<VectorIndex> {
    const { options: { lake = await jobsLake() }, opened } = this.#parts;
    const folder = indexFolder(join(projectFolder(), stateFolder), { lake, table });
    const known = this.#indexes.get(folder);
    if (known !== undefined) return known;
    const { VectorIndex } = await import("../query/similar/vector_index.ts");
    const index = opened.use(new VectorIndex(folder));
    this.#indexes.set(folder, index);
    return index;
  }

  async #given(rows: GivenRows, notes: readonly string[] = []): Promise<QueryResult> {
    return await this.#result(await givenTable(this.#parts.database, rows), notes);
  }

  async #result(part: SqlPart, notes: readonly string[] = []): Promise<QueryResult> {
    const { database, place, tables } = this.#parts;
    try {
      return await QueryResult.of({ database, part }, notes);
    } catch (thrown) {
      if (tables.notes.length === 0) throw thrown;
      throw tables.damageNamed(await statementParts(place.connection, part.text)) ?? thrown;
    }
  }
}
