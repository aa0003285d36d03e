/** How fast Iceberg files are merged, against DuckDB copying the same rows from Parquet to Parquet and doing nothing else. */
import type { Column } from "../../lib/dataset/column.ts";
import { type ColumnType, types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { identifier, literal } from "../../lib/engine/quote.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { type Taken, taken } from "./capture_bench.ts";

const files = 20;
const threads = 2;

/** Twenty columns of the kinds that business tables have. */
const values: readonly (readonly [ColumnType, string])[] = [
  [types.int64, "i"],
  ...Array.from({ length: 4 }, (_, n): [ColumnType, string] => [types.int64, `i * ${n + 3} % ${10 ** (n + 2)}`]),
  ...Array.from(
    { length: 4 },
    (_, n): [ColumnType, string] => [types.string, `'text value ' || i * ${31 + n} % 10007`],
  ),
  [types.string, "md5(i::VARCHAR)"],
  [types.string, "CASE WHEN i % 3 = 0 THEN 'note ' || i END"],
  ...Array.from({ length: 3 }, (_, n): [ColumnType, string] => {
    return [types.timestamptz, `TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(i * ${n + 1})`];
  }),
  ...Array.from({ length: 3 }, (_, n): [ColumnType, string] => {
    return [types.decimal(12, 2), `(i * ${n + 1} % 100000 / 100)::DECIMAL(12, 2)`];
  }),
  [types.float64, "i / 7.0"],
  [types.int32, "(i % 1000)::INTEGER"],
  [types.boolean, "i % 2 = 0"],
];
const columns: readonly Column[] = values.map(([type], index) => ({ name: `c${index}`, type, nullable: index > 0 }));
const definition: TableDefinition = { namespace: "bench", name: "wide", key: ["c0"], columns };

const policy: UpkeepPolicy = {
  targetFileBytes: 512 * 2 ** 20,
  mergeFiles: files,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

/** A table whose commits are SQL. */
class BenchTable {
  readonly table: IcebergTable;
  readonly #connection: Connection;
  #commits = 0;

  constructor(folder: string, connection: Connection) {
    const storage = new LocalStorage(folder);
    this.table = new IcebergTable({ storage, connection, folder: "wide", namespace: "bench", name: "wide" });
    this.#connection = connection;
  }

  async commit(kind: "upserts" | "removals", select: string): Promise<void> {
    const name = `${kind}_${++this.#commits}`;
    await this.#connection.run(`CREATE TABLE ${name} AS SELECT *, false AS _replaces FROM (${select})`);
    const state = await this.table.load() ?? await this.table.create(definition);
    const prepared = await this.table.prepare(state, {
      definition,
      schemaChanges: [],
      truncate: false,
      [kind]: { name, definition, rows: 1 },
      scope: ["c0"],
      position: { instance: "bench:1/1", offset: `0/${this.#commits}` },
      commitTimeMs: 0,
    });
    await this.table.commit(this.table.stage(state, prepared));
    await this.#connection.run(`DROP TABLE ${name}`);
  }
}

/** What merging took. */
export interface MergeFigures {
  readonly merge: Taken;
  /** A tenth of the rows deleted before. */
  readonly mergeWithDeletes: Taken;
  /** A tenth of the rows deleted meanwhile: how long the writer waits. */
  readonly rebase: Taken;
  /** DuckDB alone. */
  readonly raw: Taken;
}

/** Merges twenty files of so many rows together. */
export async function mergeFiles(rows: number): Promise<MergeFigures> {
  return await withDatabase(async ({ folder, database, connection }) => {
    const bench = new BenchTable(folder, connection);
    const worker = await database.connect();
    const each = Math.ceil(rows / files);
    const select = values.map(([, sql], index) => `${sql} AS ${identifier(`c${index}`)}`).join(", ");
    for (let file = 0; file < files; file++) {
      await bench.commit("upserts", `SELECT ${select} FROM range(${file * each}, ${(file + 1) * each}) AS numbers(i)`);
    }
    const paths = `${folder}/wide/data/*.parquet`;
    const raw = await taken(() => {
      return worker.run(
        `COPY (FROM read_parquet(${literal(paths)})) TO ${literal(`${folder}/raw.parquet`)}
         (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 122880, RETURN_STATS)`,
      );
    });
    const { table } = bench;
    const merged = async () => {
      const state = (await table.load())!;
      return await table.compact(state, table.planCompaction(state, policy)!, worker);
    };
    const merge = await taken(async () => await table.discard(await merged()));
    await bench.commit("removals", `SELECT i AS c0 FROM range(0, ${rows}, 10) AS numbers(i)`);
    let prepared: Awaited<ReturnType<typeof merged>>;
    const mergeWithDeletes = await taken(async () => void (prepared = await merged()));
    await bench.commit("removals", `SELECT i AS c0 FROM range(1, ${rows}, 10) AS numbers(i)`);
    const rebase = await taken(async () => await table.rebase((await table.load())!, prepared));
    worker.close();
    return { merge, mergeWithDeletes, rebase, raw };
  }, { threads });
}
