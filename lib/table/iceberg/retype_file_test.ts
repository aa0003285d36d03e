import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { Column } from "../../dataset/column.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { literal } from "../../engine/quote.ts";
import { armFailPoints } from "../../fail_point.ts";
import { failOnceAt } from "../../testing/crash_at.ts";
import { definition, eagerPolicy as policy, key, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import type { ChangeContent } from "../../testing/table_lake.ts";
import { icebergFailPoints } from "./fail_points.ts";
import type { IcebergTable } from "./iceberg_table.ts";
import { readFiles } from "./parquet_fields.ts";
import type { LiveFile } from "./state.ts";

function withColumn(count: Column["type"]): TableDefinition {
  const seen = { name: "seen", type: types.timestamptz, nullable: true };
  const columns = [...definition.columns, { name: "n", type: count, nullable: true }, seen];
  return { ...definition, columns, partitionByDay: "seen", sortBy: ["name"] };
}
const [narrow, wide] = [withColumn(types.int32), withColumn(types.int64)];

const on = (day: number) => `'2024-01-0${day} 12:00:00+00'`;
const counted = (id: number, name: string, day: number) => ({ ...row(id, 0, name), n: String(id), seen: on(day) });

/** Two days in two files, one of which has lost a row. */
async function begin(lake: Lake, table: IcebergTable, mirroredAs: readonly string[]): Promise<void> {
  await table.create(narrow);
  const upserts = [counted(1, "d", 1), counted(2, "b", 1), counted(3, "c", 1), counted(4, "a", 2), counted(5, "e", 2)];
  await lake.commit(table, { definition: narrow, upserts });
  await lake.commit(table, { definition: narrow, removals: [key(2, 0)] });
  await table.setMirroredAs((await table.load())!, mirroredAs);
}

/** Widens, replaces row 3, removes row 5. */
const widening: ChangeContent = {
  definition: wide,
  schemaChanges: [{ kind: "widenColumn", name: "n", type: types.int64 }],
  upserts: [{ ...counted(3, "C", 1), n: "9007199254740993" }],
  removals: [key(5, 0)],
};

/** Rows of a file in their order with their lineage, and how wide their column stands in it. */
async function contentOf(lake: Lake, { entry: { file, sequenceNumber } }: LiveFile): Promise<string> {
  const { connection } = lake.fixture;
  using readable = await lake.storage.readable([lake.storage.path(file.file_path)]);
  const path = readable.duckdbPath(lake.storage.path(file.file_path));
  const long = (id: number, name: string) => ({ id, name, required: false, type: "long" });
  const rows = readFiles([path], [long(1, "id"), long(4, "n"), long(2147483540, "row"), long(2147483539, "changed")]);
  const lineage = `coalesce(c2147483540, ${file.first_row_id ?? -1n} + file_row_number) || '@' ||
    coalesce(c2147483539, ${sequenceNumber})`;
  const text = await connection.value(
    `SELECT string_agg(c1 || ':' || c4 || CASE WHEN ${
      file.first_row_id !== null
    } THEN ' ' || ${lineage} ELSE '' END, ', '
       ORDER BY file_row_number) FROM ${rows}`,
  );
  const type = await connection.value(`SELECT type FROM parquet_schema(${literal(path)}) WHERE name = 'n'`);
  const day = path.match(/seen_day=[\d-]+/)?.[0];
  return `${day} ${type} ${text}`;
}

async function contents(lake: Lake): Promise<string[]> {
  const files = [...(await lake.open().load())!.files.values()];
  return (await Promise.all(files.map((file) => contentOf(lake, file)))).sort();
}

for (const formatVersion of [2, 3] as const) {
  Deno.test(
    `v${formatVersion}: a table with a Delta mirror has its files written anew where a column becomes wider, once`,
    onLake(async (lake) => {
      const table = lake.open({ formatVersion });
      await begin(lake, table, ["delta"]);
      const before = (await table.load())!;
      await lake.commit(table, widening);
      const lineage = (text: string) => formatVersion === 3 ? ` ${text}` : "";
      assert.deepEqual(await contents(lake), [
        `seen_day=2024-01-01 INT64 1:1${lineage("2@1")}`,
        `seen_day=2024-01-01 INT64 3:9007199254740993${lineage("7@3")}`,
        `seen_day=2024-01-02 INT64 4:4${lineage("3@1")}`,
      ]);
      const state = (await lake.open().load())!;
      assert.deepEqual([...state.files.values()].flatMap(({ deletes }) => deletes ?? []), []);
      assert.deepEqual(state.files.values().map(({ entry }) => entry.file.sort_order_id).toArray(), [1, 1, 1]);
      assert.equal(state.metadata.snapshots.at(-1)!.summary["operation"], "overwrite");
      assert.deepEqual(await lake.rows(), ["1/0 d", "3/0 C", "4/0 a"]);
      const { sql } = await table.scan((await table.stateAt(state, before.snapshotId!))!);
      assert.equal(await lake.fixture.connection.value(`SELECT sum(n) FROM (${sql})`), 13n);
      const reopened = lake.open();
      await lake.commit(reopened, { definition: wide, removals: [key(1, 0)], upserts: [counted(6, "f", 2)] });
      const kept = (await lake.open().load())!.files.keys().filter((uri) => state.files.has(uri)).toArray();
      assert.equal(kept.length, 2, "the file that lost its only row left, others stay");
    }),
  );
}

for (const mirroredAs of [[], ["paimon"]]) {
  Deno.test(
    `a table ${mirroredAs.length === 0 ? "without a mirror" : "with a Paimon mirror alone"} keeps its narrower files`,
    onLake(async (lake) => {
      const table = lake.open();
      await begin(lake, table, mirroredAs);
      await lake.commit(table, widening);
      assert.equal((await contents(lake)).filter((text) => text.includes("INT32")).length, 2);
      assert.deepEqual(await lake.rows(), ["1/0 d", "3/0 C", "4/0 a"]);
    }),
  );
}

Deno.test(
  "files that were narrower before anybody showed the table as Delta are written anew with its next change",
  onLake(async (lake) => {
    const table = lake.open();
    await begin(lake, table, []);
    await lake.commit(table, widening);
    await table.setMirroredAs((await table.load())!, ["delta", "paimon"]);
    await lake.commit(table, { definition: wide, removals: [key(4, 0)] });
    assert.deepEqual((await contents(lake)).map((text) => text.split(" ").slice(1, 3)), [["INT64", "1:1"], [
      "INT64",
      "3:9007199254740993",
    ]]);
  }),
);

Deno.test(
  "a merge of narrower files that ends after the column became wider is given up",
  onLake(async (lake) => {
    const table = lake.open();
    await begin(lake, table, ["delta"]);
    await lake.commit(table, { definition: narrow, upserts: [counted(7, "g", 1)] });
    const base = (await table.load())!;
    const prepared = await table.compact(base, table.planCompaction(base, policy)!, lake.fixture.connection);
    await lake.commit(table, widening);
    assert.equal(await table.rebase((await table.load())!, prepared), undefined);
  }),
);

Deno.test(
  "where a column becomes wider, a failure at any step leaves all files as they were or all of them written anew",
  onLake(async (lake) => {
    // What fails after a commit's last step is mended by the next one.
    for (const point of ["iceberg.afterMergedFile", ...icebergFailPoints.slice(0, -1)]) {
      await Deno.remove(`${lake.fixture.folder}/iceberg`, { recursive: true }).catch(() => {});
      const table = lake.open();
      await begin(lake, table, ["delta"]);
      failOnceAt(point);
      const ended = await lake.commit(table, widening).then(({ outcome }) => outcome, () => "failed");
      assert.notEqual(ended, "committed", point);
      armFailPoints(undefined);
      const types = () => contents(lake).then((texts) => [...new Set(texts.map((text) => text.split(" ")[1]))]);
      assert.equal((await types()).length, 1, point);
      const fresh = lake.open();
      await lake.commit(fresh, widening);
      assert.deepEqual([await types(), await lake.rows()], [["INT64"], ["1/0 d", "3/0 C", "4/0 a"]], point);
      const needed = await fresh.referenced((await fresh.load())!);
      for (const path of needed) assert.ok(await lake.storage.stat(path), `${path} after ${point}`);
    }
  }),
);
