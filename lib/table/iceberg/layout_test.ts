import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { definition, eagerPolicy as policy, key, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import type { IcebergTable } from "./iceberg_table.ts";

const columns = [
  ...definition.columns,
  { name: "day", type: types.date, nullable: true },
  { name: "other", type: types.date, nullable: true },
];
const plain: TableDefinition = { ...definition, columns };
const byDay: TableDefinition = { ...plain, partitionByDay: "day" };
const byOther: TableDefinition = { ...plain, partitionByDay: "other" };
const dated = (id: number, name: string, day: number) => ({
  ...row(id, 0, name),
  day: `DATE '2026-01-0${day}'`,
  other: `DATE '2026-02-0${day}'`,
});

/** How many live files stand under each spec, and how many manifests list them. */
async function specsOf(lake: Lake): Promise<Record<string, number>> {
  const { files, manifests } = (await lake.open().load())!;
  const counts: Record<string, number> = {};
  for (const { entry } of files.values()) counts[entry.specId] = (counts[entry.specId] ?? 0) + 1;
  for (const each of manifests) assert.ok(each.partition_spec_id in counts || each.content === 1);
  return counts;
}

async function mergeAll(lake: Lake, table: IcebergTable): Promise<void> {
  for (let plan; (plan = table.planCompaction((await table.load())!, policy)) !== undefined;) {
    const state = (await table.load())!;
    const prepared = await table.compact(state, plan, lake.fixture.connection);
    await table.commit(table.stage(state, (await table.rebase(state, prepared))!));
  }
}

Deno.test(
  "a table may be partitioned otherwise: new files follow, old ones stay, and rows are replaced in both",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(plain);
    const commit = (by: TableDefinition, ...rows: ReturnType<typeof dated>[]) =>
      lake.commit(table, { definition: by, upserts: rows });
    await commit(plain, dated(1, "a", 1), dated(2, "b", 2));
    await commit(byDay, dated(3, "c", 1), dated(4, "d", 2), dated(1, "A", 2));
    await commit(byOther, dated(5, "e", 1), dated(3, "C", 1));
    assert.deepEqual(await specsOf(lake), { 0: 1, 1: 1, 2: 1 });
    await commit(byDay, dated(6, "f", 1), dated(4, "D", 1), dated(2, "B", 1));
    await commit(byDay, dated(7, "g", 1));
    const names = ["1/0 A", "2/0 B", "3/0 C", "4/0 D", "5/0 e", "6/0 f", "7/0 g"];
    assert.deepEqual(await lake.rows(), names);
    const { metadata } = (await lake.open().load())!;
    assert.deepEqual(metadata["partition-specs"].map(({ fields }) => fields.map((field) => field["field-id"])), [
      [],
      [1000],
      [1001],
    ]);
    assert.deepEqual([metadata["default-spec-id"], metadata["last-partition-id"]], [1, 1001]);
    await mergeAll(lake, table);
    assert.deepEqual(await lake.rows(), names);
    await lake.commit(table, { definition: byDay, removals: [1, 3, 5, 7].map((id) => key(id, 0)) });
    assert.deepEqual(await lake.rows(), ["2/0 B", "4/0 D", "6/0 f"]);
    const expiry = await table.expire((await table.load())!, policy, { nowMs: Date.now() + 1 });
    for (const path of expiry.unneeded) await lake.storage.delete(path);
    const fresh = lake.open();
    assert.deepEqual(await lake.paths(), [...await fresh.referenced((await fresh.load())!)].sort());
    assert.deepEqual(await lake.rows(), ["2/0 B", "4/0 D", "6/0 f"]);
  }),
);

Deno.test(
  "a definition that names a column which the table lacks leaves its layout alone",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(byDay);
    await lake.commit(table, { definition: byDay, upserts: [dated(1, "a", 1)] });
    await lake.commit(table, {
      definition: { ...byDay, partitionByDay: "gone", sortBy: ["gone"] },
      upserts: [dated(2, "b", 1)],
    });
    const { metadata } = (await lake.open().load())!;
    assert.deepEqual([metadata["default-spec-id"], metadata["partition-specs"].length], [0, 1]);
    assert.deepEqual([metadata["default-sort-order-id"], metadata["sort-orders"].length], [0, 1]);
  }),
);

Deno.test(
  "files prepared for a partition stay fit only while its id stands for it",
  onLake(async (lake) => {
    const [table, other] = [lake.open(), lake.open()];
    await table.create(plain);
    const state = (await table.load())!;
    const change = { ...await lake.change({ definition: byDay, truncate: true }) };
    const prepared = await table.prepare(state, change);
    await lake.commit(other, { definition: byOther, upserts: [dated(1, "a", 1)] });
    assert.equal(table.stillFits((await table.load())!, prepared), false);
    const again = await table.prepare((await table.load())!, change);
    assert.equal(again.layout?.spec["spec-id"], 2);
  }),
);
