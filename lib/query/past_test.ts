import assert from "node:assert/strict";
import type { Position } from "../change/position.ts";
import { evolveColumns, type SchemaChange } from "../dataset/schema_change.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { LocalStorage } from "../storage/local.ts";
import { DeltaTable } from "../table/delta/delta_table.ts";
import { IcebergTable } from "../table/iceberg/iceberg_table.ts";
import { PaimonTable } from "../table/paimon/paimon_table.ts";
import type { UpkeepTable } from "../table/upkeep.ts";
import { type LiteralRow, relationOf } from "../testing/relations.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changesBetween, rowHistory } from "./changes.ts";
import { openLake } from "./lake.ts";
import type { TableFolder } from "./lake_folders.ts";
import type { LakePlace } from "./lake_tables.ts";
import { requirePast, tableAt } from "./time_travel.ts";

const formats = ["iceberg", "paimon", "delta"] as const;
const at = (offset: number): Position => ({ instance: "test:1/1", offset: `0/${offset.toString(16)}` });
const note = { name: "note", type: types.string, nullable: true };

const holders: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["id"],
  columns: [{ name: "id", type: types.int32, nullable: false }, { name: "name", type: types.string, nullable: true }],
};

/** Holders by id; `undefined` takes one away. A batch that touches nobody leaves the table as it is. */
interface Batch {
  readonly after: number;
  readonly to: number;
  readonly rows: Readonly<Record<number, string | undefined>>;
  readonly schemaChanges?: readonly SchemaChange[];
}

const batches: readonly Batch[] = [
  { after: 0, to: 10, rows: { 1: "Ann", 2: "Ben", 3: "Cid" } },
  { after: 10, to: 20, rows: { 2: "Bob", 4: "Dan" } },
  { after: 40, to: 50, rows: { 1: undefined, 3: "Cid" } },
  { after: 50, to: 60, rows: { 2: undefined, 5: "Eve" }, schemaChanges: [{ kind: "addColumn", column: note }] },
  { after: 60, to: 70, rows: { 2: "Ben", 4: "Dora" } },
];

type Model = ReadonlyMap<number, string>;

/** What the table holds after each batch. */
const models: readonly Model[] = batches.reduce<Model[]>((all, { rows }) => {
  const next = new Map(all.at(-1));
  for (const [id, name] of Object.entries(rows)) {
    if (name === undefined) next.delete(Number(id));
    else next.set(Number(id), name);
  }
  return [...all, next];
}, []);

/** A keyed table in every format. */
class Scene {
  readonly lake: LakePlace;
  readonly #writer: Connection;
  readonly #definitions = new Map<UpkeepTable, TableDefinition>();

  constructor(lake: LakePlace, writer: Connection) {
    this.lake = lake;
    this.#writer = writer;
  }

  table(format: TableFolder["format"]): UpkeepTable {
    const at = { storage: this.lake.storage, connection: this.#writer, ...this.place(format) };
    const folder = `${format}/bank/holders`;
    if (format === "paimon") return new PaimonTable({ ...at, folder: "paimon" }) as UpkeepTable;
    return (format === "delta"
      ? new DeltaTable({ ...at, folder })
      : new IcebergTable({ ...at, folder })) as UpkeepTable;
  }

  place(format: TableFolder["format"]): TableFolder {
    return { format, namespace: "bank", name: "holders" };
  }

  /** Commits a batch to a table, and gives its snapshot. */
  async commit(table: UpkeepTable, { after, to, rows, schemaChanges = [] }: Batch): Promise<bigint> {
    const before = this.#definitions.get(table) ?? holders;
    const columns = evolveColumns(before.columns, schemaChanges);
    const definition = { ...before, columns };
    this.#definitions.set(table, definition);
    const literals = (kept: boolean): LiteralRow[] =>
      Object.entries(rows).filter(([, name]) => (name !== undefined) === kept)
        .map(([id, name]) => kept ? { id, name: `'${name}'` } : { id });
    const relation = (rows: readonly LiteralRow[]) => relationOf(this.#writer, { definition, rows });
    const [upserts, removals] = [literals(true), literals(false)];
    const state = await table.load() ?? await table.create(definition);
    const prepared = await table.prepare(state, {
      definition,
      schemaChanges,
      truncate: false,
      scope: ["id"],
      after: at(after),
      position: at(to),
      commitTimeMs: 0,
      ...(upserts.length === 0 ? {} : { upserts: await relation(upserts) }),
      ...(removals.length === 0 ? {} : { removals: await relation(removals) }),
    });
    const result = await table.commit(table.stage(state, prepared));
    assert.equal(result.outcome, "committed");
    await new Promise((resolve) => setTimeout(resolve, 2));
    return (await table.load())!.snapshotId!;
  }

  /** Merges what can be merged. */
  async compact(table: UpkeepTable): Promise<void> {
    const state = (await table.load())!;
    const plan = table.planCompaction(state, {
      targetFileBytes: 2 ** 20,
      mergeFiles: 2,
      deletedShare: 0.1,
      keepSnapshotsMs: 0,
      keepSnapshots: 1,
      orphanAgeMs: 0,
    });
    assert.ok(plan, "there is nothing to merge");
    const prepared = await table.rebase(state, await table.compact(state, plan, this.#writer));
    assert.equal((await table.commit(table.stage(state, prepared!))).outcome, "committed");
  }

  async text(select: string): Promise<unknown> {
    return await this.lake.connection.value(
      `SELECT coalesce(string_agg(id || name, ' ' ORDER BY id), '') FROM (${select})`,
    );
  }
}

const textOf = (model: Model) =>
  [...model].sort(([left], [right]) => left - right).map(([id, name]) => id + name).join(" ");

function onScene(body: (scene: Scene) => Promise<void>): () => Promise<void> {
  return () =>
    withDatabase(async ({ folder, connection, database }) => {
      const reader = await database.connect();
      await body(new Scene({ storage: new LocalStorage(`${folder}/lake`), connection: reader }, connection));
      reader.close();
    });
}

Deno.test(
  "a table is read as of a snapshot, a time and every source position at which it is known, and at no other",
  onScene(async (scene) => {
    for (const format of formats) {
      const table = scene.table(format);
      const snapshots: bigint[] = [];
      for (const batch of batches) snapshots.push(await scene.commit(table, batch));
      await scene.compact(table);
      await table.recordPosition((await table.load())!, at(90));
      const [place, { lake }] = [scene.place(format), scene];
      const { snapshots: kept } = await requirePast(place, lake);
      for (const [index, snapshotId] of snapshots.entries()) {
        const found = await tableAt(place, lake, { snapshotId });
        assert.equal(await scene.text(found.scan), textOf(models[index]!));
        assert.equal(found.columns.length, index < 3 ? 2 : 3);
        const { timeMs } = kept.find(({ id }) => id === snapshotId)!;
        assert.equal((await tableAt(place, lake, { timeMs })).snapshot?.id, snapshotId);
      }
      for (const [offset, index] of [[10, 0], [20, 1], [33, 1], [40, 1], [50, 2], [70, 4], [80, 4], [90, 4]] as const) {
        const { scan } = await tableAt(place, lake, { position: at(offset) });
        assert.equal(await scene.text(scan), textOf(models[index]!), `${format} at ${offset}`);
      }
      for (const offset of [5, 11, 45, 65, 91]) {
        await assert.rejects(() => tableAt(place, lake, { position: at(offset) }), { kind: "precondition" });
      }
      await assert.rejects(() => tableAt(place, lake, { timeMs: 1 }), { kind: "precondition" });
      await assert.rejects(() => tableAt(place, lake, { snapshotId: 99n }), { kind: "precondition" });
      await assert.rejects(() => tableAt({ ...place, name: "none" }, lake, { timeMs: 1 }), { kind: "precondition" });
    }
  }),
);

Deno.test(
  "changes between any two snapshots are the rows that differ, merged files or not, added columns or not",
  onScene(async (scene) => {
    for (const format of formats) {
      const table = scene.table(format);
      const snapshots: { id: bigint; model: Model }[] = [];
      for (const [index, batch] of batches.entries()) {
        snapshots.push({ id: await scene.commit(table, batch), model: models[index]! });
        if (index === 1 || index === 4) {
          await scene.compact(table);
          snapshots.push({ id: (await table.load())!.snapshotId!, model: models[index]! });
        }
      }
      for (const [index, from] of snapshots.entries()) {
        for (const to of snapshots.slice(index)) {
          const changes = await changesBetween(scene.place(format), scene.lake, {
            from: { snapshotId: from.id },
            to: { snapshotId: to.id },
          });
          const rows = await scene.lake.connection.rows(
            `SELECT change || ' ' || key.id || ' ' || coalesce(before.name, '-') || ' ' || coalesce(after.name, '-') AS line
             FROM (${changes.select}) ORDER BY key.id`,
          );
          assert.deepEqual(rows.map(({ line }) => line), differences(from.model, to.model), `${format} ${index}`);
        }
      }
      const newest = await changesBetween(scene.place(format), scene.lake, { from: { position: at(60) } });
      assert.deepEqual(
        await scene.lake.connection.rows(`SELECT change, key.id AS id FROM (${newest.select}) ORDER BY id`),
        [{ change: "insert", id: 2 }, { change: "update", id: 4 }],
      );
    }
  }),
);

function differences(from: Model, to: Model): string[] {
  const ids = [...new Set([...from.keys(), ...to.keys()])].sort((left, right) => left - right);
  return ids.filter((id) => from.get(id) !== to.get(id)).map((id) => {
    const change = !from.has(id) ? "insert" : !to.has(id) ? "delete" : "update";
    return `${change} ${id} ${from.get(id) ?? "-"} ${to.get(id) ?? "-"}`;
  });
}

Deno.test(
  "a row's history is told from the first snapshot that is kept to the last, without what was written again as it was",
  onScene(async (scene) => {
    for (const format of formats) {
      const table = scene.table(format);
      for (const batch of batches.slice(0, 4)) await scene.commit(table, batch);
      await scene.compact(table);
      await scene.commit(table, batches[4]!);
      const [place, { lake }] = [scene.place(format), scene];
      const told = async (id: number) =>
        (await rowHistory(place, lake, { id })).map(({ change, row, position }) =>
          `${position?.offset} ${change} ${row?.["name"] ?? "-"}`
        );
      assert.deepEqual(await told(2), ["0/a kept Ben", "0/14 update Bob", "0/3c delete -", "0/46 insert Ben"]);
      assert.deepEqual(await told(3), ["0/a kept Cid"]);
      assert.deepEqual(await told(5), ["0/3c insert Eve"]);
      assert.deepEqual(await told(9), []);
      await assert.rejects(() => rowHistory(place, lake, { name: "Ben" }), RangeError);
    }
  }),
);

Deno.test(
  "all tables of a lake are shown where they agree, though one has gone on, and the lake says where that is",
  onScene(async (scene) => {
    const [iceberg, paimon] = [scene.table("iceberg"), scene.table("paimon")];
    for (const batch of batches.slice(0, 3)) await scene.commit(iceberg, batch);
    for (const batch of batches.slice(0, 2)) await scene.commit(paimon, batch);
    const names = async () => {
      const views = await openLake({ ...scene.lake, at: "consistent" });
      return await Promise.all(
        views.map(async ({ view, position, format }) =>
          `${format} ${position?.offset} ${await scene.text(`SELECT * FROM ${view}`)}`
        ),
      );
    };
    assert.deepEqual(await names(), [`iceberg 0/14 ${textOf(models[1]!)}`, `paimon 0/14 ${textOf(models[1]!)}`]);
    await paimon.recordPosition((await paimon.load())!, at(40));
    assert.deepEqual(await names(), [`iceberg 0/28 ${textOf(models[1]!)}`, `paimon 0/28 ${textOf(models[1]!)}`]);
    const alone = await openLake({ ...scene.lake, at: "consistent", formats: ["iceberg"] });
    assert.deepEqual(alone.map(({ position }) => position?.offset), ["0/32"]);
    await scene.commit(paimon, batches[2]!);
    assert.deepEqual(await names(), [`iceberg 0/32 ${textOf(models[2]!)}`, `paimon 0/32 ${textOf(models[2]!)}`]);
    await assert.rejects(() => openLake({ ...scene.lake, at: { position: at(45) } }), { kind: "precondition" });
    await assert.rejects(() => scene.lake.connection.run(`FROM "paimon_bank"."gone"`));
    assert.deepEqual(await openLake({ ...scene.lake, at: { timeMs: 1 } }), []);
    await assert.rejects(() => scene.text(`SELECT * FROM "paimon_bank"."holders"`), /does not exist/);
    await paimon.recordPosition((await paimon.load())!, undefined);
    await scene.commit(iceberg, batches[3]!);
    assert.deepEqual((await openLake({ ...scene.lake, at: "consistent" })).map(({ position }) => position?.offset), [
      "0/32",
      "0/32",
    ]);
  }),
);

Deno.test(
  "a Delta table that has gone on is shown where the others stand",
  onScene(async (scene) => {
    const [delta, iceberg] = [scene.table("delta"), scene.table("iceberg")];
    for (const batch of batches.slice(0, 3)) await scene.commit(delta, batch);
    for (const batch of batches.slice(0, 2)) await scene.commit(iceberg, batch);
    const shown = async () => {
      const views = await openLake({ ...scene.lake, at: "consistent" });
      const rows = await Promise.all(views.map(({ view }) => scene.text(`SELECT * FROM ${view}`)));
      return views.map(({ format, position }, index) => `${format} ${position?.offset} ${rows[index]}`);
    };
    assert.deepEqual(await shown(), [`delta 0/14 ${textOf(models[1]!)}`, `iceberg 0/14 ${textOf(models[1]!)}`]);
    await iceberg.recordPosition((await iceberg.load())!, at(40));
    assert.deepEqual(await shown(), [`delta 0/28 ${textOf(models[1]!)}`, `iceberg 0/28 ${textOf(models[1]!)}`]);
    await scene.commit(iceberg, batches[2]!);
    assert.deepEqual(await shown(), [`delta 0/32 ${textOf(models[2]!)}`, `iceberg 0/32 ${textOf(models[2]!)}`]);
  }),
);
