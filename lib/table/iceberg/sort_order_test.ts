import assert from "node:assert/strict";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { definition, eagerPolicy as policy, folder, key, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import { IcebergTable } from "./iceberg_table.ts";

const sorted: TableDefinition = { ...definition, sortBy: ["name", "id"] };
/** Rows of every file as they stand in it, files partitioned by `|`, with the order that each says it is in. */
async function filesOf(lake: Lake): Promise<[string, (number | null)[]]> {
  const state = (await lake.open().load())!;
  const files = [...state.files.values()].map(({ entry }) => entry.file);
  const texts = await Promise.all(files.map(async ({ file_path }) => {
    const stored = lake.storage.path(file_path);
    using readable = await lake.storage.readable([stored]);
    const path = readable.duckdbPath(stored);
    const rows = await lake.fixture.connection.rows(
      `SELECT coalesce(name, '-') || id AS n FROM read_parquet('${path}')`,
    );
    return rows.map(({ n }) => n).join(" ");
  }));
  return [texts.sort().join(" | "), files.map((file) => file.sort_order_id)];
}

const unnamed = (id: number) => ({ id: String(id), ordinal: "0" });

for (const formatVersion of [2, 3] as const) {
  Deno.test(
    `v${formatVersion}: rows stand sorted in every file, also in a merged one, which loses what was deleted meanwhile`,
    onLake(async (lake) => {
      const table = lake.open({ formatVersion });
      await table.create(sorted);
      await lake.commit(table, { upserts: [row(1, 0, "d"), row(2, 0, "b"), unnamed(3), row(9, 0, "b")] });
      await lake.commit(table, { upserts: [row(4, 0, "c"), row(5, 0, "a"), row(6, 0, "e")] });
      assert.deepEqual(await filesOf(lake), ["-3 b2 b9 d1 | a5 c4 e6", [1, 1]]);
      await lake.commit(table, { removals: [key(2, 0)] });
      const base = (await table.load())!;
      const prepared = await table.compact(base, table.planCompaction(base, policy)!, lake.fixture.connection);
      await lake.commit(table, { removals: [key(4, 0), key(9, 0)] });
      await lake.commit(table, { upserts: [row(3, 0, "z")] });
      const state = (await table.load())!;
      await table.commit(table.stage(state, (await table.rebase(state, prepared))!));
      assert.deepEqual(await lake.rows(), ["1/0 d", "3/0 z", "5/0 a", "6/0 e"]);
      assert.deepEqual(await filesOf(lake), ["-3 a5 b9 c4 d1 e6 | z3", [1, 1]]);
      const { metadata } = (await lake.open().load())!;
      assert.deepEqual(metadata["sort-orders"][1]!.fields.map((field) => field["source-id"]), [3, 1]);
    }),
  );
}

Deno.test(
  "days are sorted each by itself",
  onLake(async (lake) => {
    const columns = [...definition.columns, { name: "day", type: { kind: "date" } as const, nullable: true }];
    const byDay = { ...sorted, columns, partitionByDay: "day" };
    const table = lake.open();
    await table.create(byDay);
    const upserts = [["c", 1], ["a", 2], ["b", 1], ["d", 2]].map(([name, day], index) => {
      return { ...row(index, 0, `${name}`), day: `DATE '2026-01-0${day}'` };
    });
    await lake.commit(table, { definition: byDay, upserts });
    assert.deepEqual(await filesOf(lake), ["a1 d3 | b2 c0", [1, 1]]);
  }),
);

Deno.test(
  "a value that rows are sorted by stays as it is, -0 too",
  onLake(async (lake) => {
    const columns = [...definition.columns, { name: "share", type: { kind: "float64" } as const, nullable: true }];
    const byShare = { ...definition, columns, sortBy: ["share"] };
    const table = lake.open();
    await table.create(byShare);
    const upserts = ["1", "-0.0", "-1"].map((share, id) => ({ ...row(id, 0, "a"), share: `'${share}'::DOUBLE` }));
    await lake.commit(table, { definition: byShare, upserts });
    using scan = await table.scan((await table.load())!);
    const rows = await lake.fixture.connection.rows(`SELECT share::VARCHAR AS share FROM (${scan.sql})`);
    assert.deepEqual(rows.map(({ share }) => share), ["-1.0", "-0.0", "1.0"]);
  }),
);

Deno.test(
  "an order may change or end with its column: files that are there keep theirs",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    const twoRows = (id: number) => ({ upserts: [row(id, 0, "b"), row(id + 1, 0, "a")] });
    await lake.commit(table, twoRows(1));
    await lake.commit(table, { definition: sorted, ...twoRows(3) });
    await lake.commit(table, { definition: { ...sorted, sortBy: ["id"] }, ...twoRows(5) });
    await lake.commit(table, twoRows(9));
    assert.deepEqual((await filesOf(lake))[1].toSorted(), [0, 1, 2, 2]);
    await lake.commit(table, { definition: sorted });
    assert.equal((await lake.open().load())!.metadata["default-sort-order-id"], 1);
    const narrower = { ...definition, columns: definition.columns.slice(0, 2) };
    await lake.commit(table, {
      definition: narrower,
      schemaChanges: [{ kind: "dropColumn", name: "name" }],
      upserts: [key(8, 0), key(7, 0)],
    });
    const { metadata, files } = (await lake.open().load())!;
    assert.equal(metadata["default-sort-order-id"], 0);
    assert.deepEqual([...files.values()].map(({ entry }) => entry.file.sort_order_id).toSorted(), [0, 0, 1, 2, 2]);
  }),
);

Deno.test(
  "a table cannot be sorted by what is no column",
  onLake(async ({ storage, fixture: { connection } }) => {
    const table = new IcebergTable({ storage, connection, folder, namespace: "bank", name: "cards" });
    await assert.rejects(() => table.create({ ...definition, sortBy: ["nothing"] }), TypeError);
  }),
);
