import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { WeirError } from "../../errors.ts";
import { armFailPoints } from "../../fail_point.ts";
import { LakeSink } from "../../sink/lake_sink.ts";
import { TableUpkeep } from "../../sink/table_upkeep.ts";
import { UpkeepWorker } from "../../sink/upkeep_worker.ts";
import { failOnceAt } from "../../testing/crash_at.ts";
import { compactAll, expireAll, wholePolicy } from "../../testing/paimon_churn.ts";
import { applyStep, paimonChange, type PaimonLake, rowsOf, withPaimonLake } from "../../testing/paimon_lake.ts";
import type { PaimonTable } from "./paimon_table.ts";
import { rowRetention } from "./partition_expiry.ts";
import { choosePartition, Partitioning } from "./partitioning.ts";
import { encodeSchema } from "./schema.ts";
import { firstSchema } from "./schema.ts";

const visits: TableDefinition = {
  namespace: "shop",
  name: "orders",
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "day", type: types.date, nullable: false },
    { name: "place", type: types.string, nullable: false },
    { name: "note", type: types.string, nullable: true },
  ],
  key: ["id", "day", "place"],
  partitionBy: ["day", "place"],
};
const log: TableDefinition = {
  ...visits,
  key: [],
  columns: visits.columns.map((column) => ({ ...column, nullable: true })),
};

/** Rows of six days, each with a place of its own, which no folder can be called by. */
function visitRows(range: string, note: string): string {
  return `SELECT i AS id, DATE '2026-01-01' + (i % 6)::INTEGER AS day, '${note}' AS note,
    ['a', 'b/c=d', '10 %', 'é\ufeff😀', '', ' '][1 + i % 6] AS place FROM range(${range}) r(i)`;
}

/** The rows of a SELECT as text. */
async function linesOf({ connection }: PaimonLake, select: string): Promise<readonly string[]> {
  const names = visits.columns.map(({ name }) => name).join(", ");
  const rows = await connection.rows(
    `SELECT t::VARCHAR AS line FROM (SELECT ${names} FROM (${select})) AS t ORDER BY 1`,
  );
  return rows.map((row) => row.line as string);
}

Deno.test("a change of many partitions is found whole, key by key, before compaction and after it", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 2 });
    await applyStep(lake, table, { definition: visits, upserts: visitRows("0, 300", "first") });
    await applyStep(lake, table, {
      definition: visits,
      upserts: visitRows("100, 360, 5", "second"),
      removals: `SELECT id, day, place FROM (${visitRows("0, 300, 7", "")})`,
    });
    const expected = await linesOf(
      lake,
      `${visitRows("100, 360, 5", "second")} UNION ALL SELECT * FROM (${visitRows("0, 300", "first")})
        WHERE id % 7 <> 0 AND (id < 100 OR id % 5 <> 0)`,
    );
    assert.deepEqual(await rowsOf(lake, lake.open()), expected);
    const folders = new Set((await table.load())!.files.map(({ place }) => place.folder));
    assert.equal(folders.size, 12);
    assert.ok(folders.has("day=2026-01-02/place=b%2Fc%3Dd/bucket-1"));
    assert.ok(folders.has("day=2026-01-05/place=__DEFAULT_PARTITION__/bucket-0"));
    assert.equal(await compactAll(lake, table, wholePolicy), 12);
    assert.deepEqual(await rowsOf(lake, lake.open()), expected);
    await assertClean(lake, table);
  });
});

/** After an expiry of snapshots there are the files that are referred to, and no other. */
async function assertClean(lake: PaimonLake, table: PaimonTable): Promise<void> {
  await expireAll(lake, table, { ...wholePolicy, keepSnapshots: 1 });
  const present = await Array.fromAsync(lake.storage.list("paimon/shop.db/orders"), ({ path }) => path);
  assert.deepEqual(present, [...await table.referenced((await table.load())!)].sort());
}

Deno.test("rows without a key are partitioned too, those without a value among them, and small files merge within a partition", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    const rows = `SELECT id, CASE WHEN id % 6 <> 1 THEN day END AS day, note,
      CASE WHEN id % 6 <> 2 THEN place END AS place FROM (${visitRows("0, 60", "n")})`;
    for (let step = 0; step < 2; step++) await applyStep(lake, table, { definition: log, upserts: rows });
    assert.equal((await table.load())!.files.length, 12);
    assert.equal(await compactAll(lake, table, wholePolicy), 6);
    assert.deepEqual(await rowsOf(lake, lake.open()), await linesOf(lake, `${rows} UNION ALL ${rows}`));
    const { files } = (await lake.open().load())!;
    assert.equal(files.length, 6);
    assert.ok(files.some(({ place }) => place.folder.startsWith("day=__DEFAULT_PARTITION__/place=b%2F")));
  });
});

Deno.test("a partition column is renamed and becomes wider with a truncate alone, and older files are still known", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    const count = { name: "count", type: types.int32, nullable: false };
    const definition = { ...visits, columns: [...visits.columns, count], key: ["id", "count"], partitionBy: ["count"] };
    const rows = (range: string, name: string, type: string) =>
      `SELECT *, (id - 30)::${type} AS ${name} FROM (${visitRows(range, "n")})`;
    await applyStep(lake, table, { definition, upserts: rows("0, 60, 20", "count", "INTEGER") });
    const schemaChanges = [
      { kind: "widenColumn", name: "count", type: types.int64 },
      { kind: "renameColumn", from: "count", to: "many" },
    ] as const;
    const many = { name: "many", type: types.int64, nullable: false };
    const wide = { ...definition, columns: [...visits.columns, many], key: ["id", "many"] };
    const step = { definition: wide, schemaChanges, upserts: rows("20, 40, 10", "many", "BIGINT") };
    await assert.rejects(() => applyStep(lake, table, step), /cannot change the type of its key column count/);
    await applyStep(lake, table, { ...step, truncate: true });
    assert.equal((await rowsOf(lake, lake.open())).length, 2);
    const folders = (await lake.open().load())!.files.map(({ place }) => place.folder.replace(/\/.*/, ""));
    assert.deepEqual(folders.sort(), ["many=-10", "many=0"]);
    await assertClean(lake, lake.open());
  });
});

Deno.test("a change whose rows do not all reach a file is not committed, and leaves none", async () => {
  await withPaimonLake(async (lake) => {
    const many = { name: "many", type: types.int64, nullable: false };
    for (const key of [["id", "many"], []]) {
      const definition = { ...visits, columns: [...visits.columns, many], key, partitionBy: ["many"] };
      const table = lake.open({ folder: `lake_${key.length}` });
      // Of another type than the table's, which no relation of a change is: its negative values are misread.
      const upserts = `SELECT *, (id - 30)::INTEGER AS many FROM (${visitRows("20, 60, 10", "n")})`;
      await assert.rejects(
        () => applyStep(lake, table, { definition, upserts }),
        /4 rows were to be written .* 3 were/,
      );
      const found = await Array.fromAsync(lake.storage.list(`lake_${key.length}`), ({ path }) => path);
      assert.ok(found.every((path) => !path.endsWith(".parquet")));
    }
  });
});

Deno.test("folders are spelled as Paimon spells them", () => {
  const fields = visits.columns.map(({ name, type }, id) => ({ id, name, type, nullable: true }));
  const place = (options: Record<string, string>, day: number, text: string) => {
    const partitioning = new Partitioning({ fields, partitionKeys: ["day", "place"], options });
    return partitioning.placeOf([day, new TextEncoder().encode(text)], 3).folder;
  };
  assert.equal(place({}, 20_454, "x"), "day=20454/place=x/bucket-3");
  const iso = { "partition.legacy-name": "false" };
  assert.equal(place(iso, 20_454, "x"), "day=2026-01-01/place=x/bucket-3");
  assert.equal(
    place(iso, -1, `a"#%'*/:=?\\{}[]^\x01\x7f~é`),
    "day=1969-12-31/place=" +
      "a%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%7D%5B%5D%5E%01%7F~é/bucket-3",
  );
  assert.equal(
    place({ ...iso, "partition.default-name": "none" }, 0, " \t\u3000"),
    "day=1970-01-01/place=none/bucket-3",
  );
});

Deno.test("a text too long for a folder's name is refused before anything is written, and told of without its letters", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    const long = (letters: number) =>
      `SELECT * REPLACE (repeat('é', ${letters}) AS place) FROM (${visitRows("0, 6", "n")})`;
    await applyStep(lake, table, { definition: visits, upserts: long(124) });
    for (const definition of [visits, log]) {
      const other = lake.open({ name: `keys${definition.key.length}` });
      await assert.rejects(
        () => applyStep(lake, other, { definition, upserts: long(125) }),
        (thrown) => thrown instanceof WeirError && /holds a text too long for [^é]*$/.test(thrown.message),
      );
    }
    assert.equal((await rowsOf(lake, lake.open())).length, 6);
  });
});

Deno.test("a keyed table is partitioned by columns of its key alone, and by those whose text all readers share", () => {
  const columns = [...visits.columns, { name: "at", type: types.timestamptz, nullable: true }];
  const by = (partitionBy: readonly string[], key = visits.key) =>
    choosePartition({ ...visits, columns, key, partitionBy });
  assert.deepEqual(by(["day"]), { columns: ["day"] });
  assert.deepEqual(by(["note"], []), { columns: ["note"] });
  for (const { columns, objection } of [by(["note"]), by(["id", "day", "place"]), by(["at"], [])]) {
    assert.deepEqual([columns, typeof objection], [[], "string"]);
  }
  assert.throws(() => by(["absent"]), (thrown) => thrown instanceof WeirError && thrown.kind === "configuration");
});

const dayMs = 86_400_000;

/** A table whose partitions stay for two days, at noon of the fourth. */
async function retained(lake: PaimonLake, definition: TableDefinition) {
  const clock = { nowMs: Date.UTC(2026, 0, 4, 12) };
  const table = lake.open({ partitionKeepDays: 2, now: () => clock.nowMs });
  await applyStep(lake, table, { definition, upserts: visitRows("0, 60", "first") });
  const { storage, connection } = lake;
  const upkeep = () =>
    new TableUpkeep({
      ...{ table: lake.open(), storage, policy: wholePolicy, worker: new UpkeepWorker(connection) },
      now: () => clock.nowMs,
    });
  const keptOf = (select: string, since: string) =>
    linesOf(lake, `SELECT * FROM (${select}) WHERE day >= DATE '2026-01-${since}'`);
  return { clock, table, upkeep, keptOf };
}

for (const definition of [visits, log]) {
  const name = definition.key.length > 0 ? "with a key" : "without a key";
  Deno.test(`partitions of a table ${name} leave once their day has passed, by one commit that carries the position`, async () => {
    await withPaimonLake(async (lake) => {
      const { clock, table, upkeep, keptOf } = await retained(lake, definition);
      const before = (await table.load())!;
      assert.equal(await upkeep().expirePartitions(), 2);
      const state = (await lake.open().load())!;
      assert.deepEqual(await rowsOf(lake, lake.open()), await keptOf(visitRows("0, 60", "first"), "03"));
      assert.deepEqual(
        [state.snapshotId, state.snapshot?.commitKind, state.position, state.commitIdentifier],
        [before.snapshotId! + 1n, "OVERWRITE", before.position, before.commitIdentifier],
      );
      {
        using changed = await lake.open().changedRows(before, state);
        const gone = await linesOf(lake, `${changed.before} EXCEPT ALL (${changed.after})`);
        const expired = `SELECT * FROM (${visitRows("0, 60", "first")}) WHERE day < DATE '2026-01-03'`;
        assert.deepEqual(gone, await linesOf(lake, expired), "who asks for changes is told of them");
      }
      assert.equal(await upkeep().expirePartitions(), 0);
      assert.equal((await lake.open().load())!.snapshotId, state.snapshotId, "nothing left, nothing committed");
      clock.nowMs += dayMs;
      await applyStep(lake, table, { definition, upserts: visitRows("60, 66", "late"), offset: "0/2" });
      assert.equal(await upkeep().expirePartitions(), 3, "what comes late leaves again");
      const all = `${visitRows("0, 60", "first")} UNION ALL ${visitRows("60, 66", "late")}`;
      assert.deepEqual(await rowsOf(lake, lake.open()), await keptOf(all, "04"));
      await assertClean(lake, table);
    });
  });
}

Deno.test("the option that others give a table is known from the first commit of ours that takes it over", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    await applyStep(lake, table, { definition: visits, upserts: visitRows("0, 6", "first") });
    const { schema } = (await table.load())!;
    const options = { ...schema.options, "partition.expiration-time": "30 d" };
    const altered = encodeSchema({ ...schema, id: schema.id + 1, options });
    await lake.storage.putIfAbsent(`paimon/shop.db/orders/schema/schema-${schema.id + 1}`, altered);
    const next = lake.open();
    await applyStep(lake, next, { definition: visits, upserts: visitRows("6, 12", "second"), offset: "0/2" });
    assert.equal((await lake.open().load())!.retention?.keepMs, 30 * dayMs);
    assert.equal((await next.load())!.retention?.keepMs, 30 * dayMs);
  });
});

Deno.test("an expiry of partitions that is stopped at a step happens once, and loses nobody's rows", async () => {
  await withPaimonLake(async (lake) => {
    const { table, upkeep, keptOf } = await retained(lake, visits);
    const writer = new LakeSink(table);
    let all = visitRows("0, 60", "first");
    for (const [index, point] of ["paimon.beforeCommit", "paimon.afterCommit"].entries()) {
      failOnceAt(point);
      await upkeep().expirePartitions().catch(() => {});
      armFailPoints(undefined);
      const more = visitRows(`${60 + index * 6}, ${66 + index * 6}`, point);
      all = `${all} UNION ALL ${more}`;
      const offset = `0/${index + 2}`;
      await writer.commit(await paimonChange(lake.connection, { definition: visits, upserts: more, offset }));
      assert.equal((await writer.status()).position?.offset, offset);
    }
    assert.equal(await upkeep().expirePartitions(), 2);
    assert.deepEqual(await rowsOf(lake, lake.open()), await keptOf(all, "03"));
  });
});

Deno.test("an expiry of partitions and a writer overtake each other, and neither is lost", async () => {
  await withPaimonLake(async (lake) => {
    const { table, upkeep, keptOf } = await retained(lake, visits);
    const writer = new LakeSink(table);
    const write = async (range: string, offset: string) => {
      const upserts = visitRows(range, "more");
      await writer.commit(await paimonChange(lake.connection, { definition: visits, upserts, offset }));
    };
    /** Does one thing as the other is about to be committed. */
    const overtaken = async (first: () => Promise<unknown>, other: () => Promise<unknown>) => {
      armFailPoints(async (point) => {
        if (point !== "paimon.beforeCommit") return;
        armFailPoints(undefined);
        await other();
      });
      return await first();
    };
    assert.equal(await overtaken(() => upkeep().expirePartitions(), () => write("60, 66", "0/2")), 2);
    const all = () => keptOf(visitRows("0, 66", "first"), "03").then((lines) => lines.length);
    assert.equal((await rowsOf(lake, lake.open())).length, await all(), "what the writer added there has left too");
    await write("0, 6", "0/3");
    await overtaken(() => write("6, 12", "0/4"), () => upkeep().expirePartitions());
    assert.equal((await lake.open().load())!.position?.offset, "0/4");
    assert.equal(await upkeep().expirePartitions(), 2, "the writer's rows of them came after");
    assert.equal((await rowsOf(lake, lake.open())).length, await all());
  });
});

Deno.test("a merge of a partition that left meanwhile is given up, and one of another is kept", async () => {
  await withPaimonLake(async (lake) => {
    const { table, upkeep } = await retained(lake, log);
    await applyStep(lake, table, { definition: log, upserts: visitRows("0, 1", "old"), offset: "0/2" });
    const merged = await upkeep().merge((await upkeep().planned())!);
    assert.equal(await upkeep().expirePartitions(), 2);
    assert.equal(await merged.land(), false);
    await applyStep(lake, table, { definition: log, upserts: visitRows("5, 6", "new"), offset: "0/3" });
    const kept = await upkeep().merge((await upkeep().planned())!);
    await applyStep(lake, table, { definition: log, upserts: visitRows("0, 1", "old"), offset: "0/4" });
    assert.equal(await upkeep().expirePartitions(), 1);
    assert.equal(await kept.land(), true);
    assert.equal((await rowsOf(lake, lake.open())).length, 41);
  });
});

Deno.test("how long partitions stay is read as Paimon's options spell it, and left to others where they spell more", () => {
  const fields = log.columns.map(({ name, type }, id) => ({ id, name, type, nullable: true }));
  const read = (options: Readonly<Record<string, string>>) =>
    rowRetention({
      ...firstSchema(log, { buckets: 1, timeMillis: 0 }),
      fields,
      partitionKeys: ["day", "place"],
      options,
    });
  const time = "partition.expiration-time";
  for (
    const [text, days] of [["7 d", 7], ["2days", 2], ["48 h", 2], ["1440 min", 1], ["86400 s", 1], [
      "172800000",
      2,
    ]] as const
  ) {
    assert.deepEqual(read({ [time]: text }), { column: "day", formatter: "yyyy-MM-dd", keepMs: days * dayMs }, text);
  }
  const hourly = { "partition.timestamp-pattern": "$place", "partition.timestamp-formatter": "yyyyMMddHH" };
  assert.deepEqual(read({ [time]: "1 d", ...hourly }), { column: "place", formatter: "yyyyMMddHH", keepMs: dayMs });
  for (
    const options of [
      {},
      { [time]: "1 fortnight" },
      { [time]: "1 d", "partition.expiration-strategy": "update-time" },
      { [time]: "1 d", "partition.timestamp-pattern": "$day $place" },
      { [time]: "1 d", "partition.timestamp-pattern": "day" },
      { [time]: "1 d", ...hourly, "partition.timestamp-formatter": "dd.MM.yyyy" },
    ]
  ) assert.equal(read(options as Readonly<Record<string, string>>), undefined, JSON.stringify(options));
});
