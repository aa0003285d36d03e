import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { definition, eagerPolicy as policy, key, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import type { IcebergTable } from "./iceberg_table.ts";
import { tableUpdates } from "./table_updates.ts";

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
  "files prepared for a partition stay fit only while its id stands for it, and a catalog is told of the partition",
  onLake(async (lake) => {
    const [table, other] = [lake.open(), lake.open()];
    await table.create(plain);
    const state = (await table.load())!;
    const change = { ...await lake.change({ definition: byDay, truncate: true }) };
    const prepared = await table.prepare(state, change);
    await lake.commit(other, { definition: byOther, upserts: [dated(1, "a", 1)] });
    assert.equal(table.stillFits((await table.load())!, prepared), false);
    const newest = (await table.load())!;
    const again = await table.prepare(newest, change);
    assert.equal(again.layout?.spec["spec-id"], 2);
    const staged = table.stage(newest, again);
    const told = tableUpdates(staged.base, staged.next.metadata).updates.map(({ action }) => action);
    assert.deepEqual(told.filter((action) => /spec/.test(action)), ["add-spec", "set-default-spec"]);
  }),
);

Deno.test(
  "rows are partitioned by values of every type, beside the day, and a field that comes back is the same one",
  onLake(async (lake) => {
    const typed = {
      yes: types.boolean,
      small: types.int32,
      large: types.int64,
      amount: types.decimal(20, 2),
      land: types.string,
      local: types.timestamp,
      seen: types.timestamptz,
    } as const;
    const names = Object.keys(typed) as (keyof typeof typed)[];
    const added = names.map((name) => ({ name, type: typed[name], nullable: true }));
    const partitioned: TableDefinition = { ...byDay, columns: [...columns, ...added], partitionBy: names };
    const values = (sign: string) => ({
      ...{
        yes: "false",
        small: `${sign}7`,
        large: `${sign}9223372036854775807`,
        amount: `${sign}123456789012345678.05`,
      },
      ...{ land: `'${sign} a/b=é'`, local: "TIMESTAMP '1969-12-31 23:59:59.999999'" },
      seen: "TIMESTAMPTZ '9999-12-31 23:59:59.000001+00'",
    });
    const nulls = Object.fromEntries(names.map((name) => [name, "NULL"]));
    const table = lake.open();
    await table.create(partitioned);
    const commit = (definition: TableDefinition, ...upserts: ReturnType<typeof dated>[]) =>
      lake.commit(table, { definition, upserts });
    await commit(partitioned, { ...dated(1, "a", 1), ...values("") }, { ...dated(2, "b", 1), ...nulls });
    await commit(partitioned, { ...dated(3, "c", 1), ...values("") }, { ...dated(1, "A", 1), ...values("-") });
    const plain = (state: Awaited<ReturnType<IcebergTable["load"]>>) =>
      [...state!.files.values()].map(({ entry }) => entry.file.partition);
    assert.deepEqual(plain(await lake.open().load()), plain(await table.load()), "as it is read, so it was written");
    assert.deepEqual(plain(await table.load()).at(-1), {
      ...{ yes: false, small: -7n, large: -9223372036854775807n, amount: -12345678901234567805n, land: "- a/b=é" },
      ...{ local: -1n, seen: 253402300799000001n, day_day: 20454n },
    });
    await mergeAll(lake, table);
    assert.deepEqual([(await table.load())!.files.size, await lake.rows()], [3, ["1/0 A", "2/0 b", "3/0 c"]]);
    await commit({ ...partitioned, partitionBy: ["land"] }, { ...dated(4, "d", 1), ...values("") });
    const { metadata, manifests } = (await lake.open().load())!;
    const ids = metadata["partition-specs"].map(({ fields }) => fields.map((field) => field["field-id"]));
    assert.deepEqual(ids, [[1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007], [1004, 1007]]);
    assert.equal(metadata["last-partition-id"], 1007);
    const bounds = manifests.find(({ partitions }) => partitions?.length === 2)!.partitions!;
    assert.deepEqual(bounds.map(({ lower_bound, contains_null }) => [lower_bound?.length, contains_null]), [
      [7, false],
      [4, false],
    ]);
  }),
);

Deno.test(
  "a column that rows are partitioned by may be renamed and widened, and not be dropped",
  onLake(async (lake) => {
    const small = { name: "small", type: types.int32, nullable: true };
    const partitioned: TableDefinition = {
      ...definition,
      columns: [...definition.columns, small],
      partitionBy: ["small"],
    };
    const table = lake.open();
    await table.create(partitioned);
    await lake.commit(table, {
      definition: partitioned,
      upserts: [1, 2].map((id) => ({ ...row(id, 0, "a"), small: "5" })),
    });
    await lake.commit(table, { definition: partitioned, removals: [key(2, 0)] });
    const large = { name: "large", type: types.int64, nullable: true };
    const wide: TableDefinition = { ...partitioned, columns: [...definition.columns, large], partitionBy: ["large"] };
    const upserts = [{ ...row(3, 0, "c"), large: "5" }, { ...row(4, 0, "d"), large: "9223372036854775807" }];
    await lake.commit(table, {
      definition: wide,
      schemaChanges: [{ kind: "renameColumn", from: "small", to: "large" }, {
        kind: "widenColumn",
        name: "large",
        type: types.int64,
      }],
      upserts,
    });
    await mergeAll(lake, table);
    const state = (await lake.open().load())!;
    assert.deepEqual([state.files.size, state.metadata["partition-specs"].length], [2, 1]);
    assert.deepEqual(await lake.rows(), ["1/0 a", "3/0 c", "4/0 d"]);
    const again = { kind: "addColumn", column: small } as const;
    const named = lake.commit(table, {
      definition: { ...wide, columns: [...wide.columns, small] },
      schemaChanges: [again],
    });
    await assert.rejects(named, { kind: "unsupportedSchemaChange", message: /^A column is called small now/ });
    const dropped = lake.commit(table, { definition, schemaChanges: [{ kind: "dropColumn", name: "large" }] });
    await assert.rejects(dropped, { kind: "unsupportedSchemaChange" });
  }),
);
