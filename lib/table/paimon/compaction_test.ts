import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import { armFailPoints } from "../../fail_point.ts";
import {
  assertLevels,
  churn,
  churnedRows,
  churnStep,
  compactAll,
  eagerPolicy,
  orderRows,
  wholePolicy,
} from "../../testing/paimon_churn.ts";
import {
  applyStep,
  orderColumns,
  orders,
  paimonChange,
  type PaimonLake,
  rowsOf,
  withPaimonLake,
} from "../../testing/paimon_lake.ts";
import { paimonCompactionFailPoints, paimonFailPoints } from "./fail_points.ts";
import type { PaimonTable } from "./paimon_table.ts";
import type { PreparedRewrite } from "./prepared.ts";

Deno.test("compaction leaves rows, position and the writer's progress, in fewer and sorted files", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 2 });
    let compactions = 0;
    for (let from = 0; from < 16; from += 2) {
      await churn(lake, table, { from, to: from + 2 });
      compactions += await compactAll(lake, table, eagerPolicy);
    }
    assert.ok(compactions >= 4);
    const before = (await lake.open().load())!;
    assert.ok(new Set(before.files.map(({ level }) => level)).size > 1, "one level alone proves little");
    const rows = await churnedRows(lake, 16);
    assert.deepEqual(await rowsOf(lake, lake.open()), rows);
    assert.ok(await compactAll(lake, table, wholePolicy) >= 1);
    const after = (await lake.open().load())!;
    assert.deepEqual(await rowsOf(lake, lake.open()), rows);
    assert.deepEqual(await rowsOf(lake, table), rows);
    assert.deepEqual([after.position, after.commitTimeMs], [before.position, before.commitTimeMs]);
    assert.deepEqual([after.files.length, after.rows], [2, BigInt(rows.length)]);
    assert.ok(after.files.every(({ level }) => level === 5));
    assert.equal(after.snapshot!.commitKind, "COMPACT");
    assert.doesNotMatch((await table.scan(after)).sql, /JOIN|GROUP BY/, "nothing is merged any more");
    await churn(lake, lake.open(), { from: 16, to: 17 });
    assert.equal((await lake.open().load())!.commitIdentifier, 17n);
  });
});

/** Prepares a compaction of everything. */
async function prepareWhole(lake: PaimonLake, table: PaimonTable): Promise<PreparedRewrite> {
  const state = (await table.load())!;
  return await table.compact(state, table.planCompaction(state, wholePolicy)!, lake.connection);
}

Deno.test("a compaction is committed after batches that came meanwhile, and gives way to a truncate and another one", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await churn(lake, table, { from: 0, to: 4 });
    const [prepared, late] = [await prepareWhole(lake, table), await prepareWhole(lake, table)];
    await churn(lake, table, { from: 4, to: 6 });
    const state = (await table.load())!;
    const fitting = await table.rebase(state, prepared);
    assert.ok(fitting !== undefined);
    assert.equal((await table.commit(table.stage(state, fitting))).outcome, "committed");
    assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, 6));
    const merged = (await table.load())!;
    assertLevels(merged);
    assert.deepEqual(merged.files.map(({ level }) => level).sort(), [0, 0, 5]);
    assert.equal(await table.rebase(merged, late), undefined);
    await table.discard(late);
    const again = await prepareWhole(lake, table);
    await applyStep(lake, table, { truncate: true, upserts: "SELECT 1 AS id, 'b' AS name, 2 AS amount" });
    assert.equal(await table.rebase((await table.load())!, again), undefined);
    assert.equal((await rowsOf(lake, lake.open())).length, 1);
  });
});

Deno.test("large runs become several files whose keys do not meet", async () => {
  await withPaimonLake(async (lake) => {
    const definition = {
      ...orders,
      key: ["name", "id"],
      columns: orderColumns.map((column) => ({ ...column, nullable: column.name === "amount" })),
    };
    const table = lake.open({ buckets: 1 });
    for (const [round, step] of [1, 2, 3].entries()) {
      const upserts =
        `SELECT i AS id, md5((i * 7)::VARCHAR) AS name, ${round} AS amount FROM range(0, 30000, ${step}) r(i)`;
      await applyStep(lake, table, { definition, upserts });
    }
    const small = { ...wholePolicy, targetFileBytes: 200_000 };
    assert.ok(await compactAll(lake, table, small) >= 1);
    const state = (await lake.open().load())!;
    assert.ok(state.files.length >= 4);
    assert.deepEqual([state.rows, state.files.every(({ level }) => level === 5)], [30_000n, true]);
    const { sql: select } = await lake.open().scan(state);
    const sums = await lake.connection.rows(`SELECT count(*) AS rows, sum(amount)::BIGINT AS total FROM (${select})`);
    assert.deepEqual(sums, [{ rows: 30_000n, total: 30_000n }]);
  });
});

Deno.test("merged files have the newest columns, and those that only change their level keep their own", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await applyStep(lake, table, { upserts: orderRows("0, 20000", "old ") });
    const wide = { ...orders, columns: [...orderColumns, { name: "note", type: types.string, nullable: true }] };
    await applyStep(lake, table, {
      definition: wide,
      schemaChanges: [{ kind: "addColumn", column: wide.columns[3]! }],
      upserts: `SELECT *, 'n' AS note FROM (${orderRows("30000, 30100", "new ")})`,
    });
    await applyStep(lake, table, {
      definition: wide,
      upserts: `SELECT *, 'm' AS note FROM (${orderRows("30050, 30150", "newer ")})`,
    });
    const rows = await rowsOf(lake, table);
    const first = (await table.load())!.files.find(({ schemaId }) => schemaId === 0)!;
    const large = { ...wholePolicy, targetFileBytes: Number(first.bytes) };
    await compactAll(lake, table, large);
    const state = (await lake.open().load())!;
    const levels = state.files.map(({ name, level, schemaId }) => [name === first.name, level, schemaId]);
    assert.deepEqual(levels.sort(), [[false, 5, 1], [true, 5, 0]]);
    assert.deepEqual(await rowsOf(lake, lake.open()), rows);
    assert.equal((await table.at(state, { snapshotId: 1n }))?.columns.length, 3);
  });
});

Deno.test("files that were merged under a schema that no other file has are read", async () => {
  await withPaimonLake(async (lake) => {
    await churn(lake, lake.open({ buckets: 1 }), { from: 0, to: 2 });
    const added = (name: string) => ({ name, type: types.string, nullable: true });
    const [wide, wider] = [[...orderColumns, added("a")], [...orderColumns, added("a"), added("b")]];
    const addLast = async (columns: typeof wide) =>
      await applyStep(lake, lake.open(), {
        definition: { ...orders, columns },
        schemaChanges: [{ kind: "addColumn", column: columns.at(-1)! }],
      });
    await addLast(wide);
    const prepared = await prepareWhole(lake, lake.open());
    await addLast(wider);
    const table = lake.open();
    const state = (await table.load())!;
    const rows = await rowsOf(lake, table);
    const fitting = (await table.rebase(state, prepared))!;
    assert.equal((await table.commit(table.stage(state, fitting))).outcome, "committed");
    assert.deepEqual((await table.load())!.files.map(({ schemaId }) => schemaId), [1]);
    assert.deepEqual(await rowsOf(lake, table), rows);
    assert.deepEqual(await rowsOf(lake, lake.open()), rows);
  });
});

Deno.test("small files of a table without a key become one, every row once", async () => {
  const appended = { ...orders, key: [] };
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    for (let commit = 0; commit < 14; commit++) {
      await applyStep(lake, table, { definition: appended, upserts: orderRows("0, 20", `${commit} `) });
    }
    const rows = await rowsOf(lake, table);
    assert.ok(await compactAll(lake, table, eagerPolicy) >= 1);
    const state = (await lake.open().load())!;
    assert.deepEqual([state.files.length, state.rows], [1, 280n]);
    assert.deepEqual(await rowsOf(lake, lake.open()), rows);
    await applyStep(lake, table, { definition: appended, upserts: orderRows("0, 1", "last ") });
    assert.equal((await rowsOf(lake, lake.open())).length, 281);
  });
});

Deno.test("rows that were all deleted leave no file", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await applyStep(lake, table, { upserts: orderRows("0, 10", "a ") });
    await applyStep(lake, table, { removals: "SELECT range AS id FROM range(10)" });
    await compactAll(lake, table, wholePolicy);
    const state = (await lake.open().load())!;
    assert.deepEqual([state.files.length, state.rows, await rowsOf(lake, table)], [0, 0n, []]);
    await applyStep(lake, lake.open(), { upserts: orderRows("3, 4", "b ") });
    assert.equal((await rowsOf(lake, lake.open())).length, 1);
  });
});

Deno.test("stopped at any point of a compaction, the rows are what they were and the next one is clean", async () => {
  const points = [
    ...paimonCompactionFailPoints,
    ...paimonFailPoints.slice(paimonFailPoints.indexOf("paimon.afterManifests")),
  ];
  await withPaimonLake(async (lake) => {
    for (const [round, point] of points.entries()) {
      await churn(lake, lake.open({ buckets: 1 }), { from: 2 * round, to: 2 * round + 2 });
      const rows = await churnedRows(lake, 2 * round + 2);
      let hits = 0;
      armFailPoints((name) => {
        if (name === point && ++hits > 0) throw new Error("stopped");
      });
      const [table, before] = [lake.open(), (await lake.open().load())!.snapshotId!];
      await stopped(lake, table);
      armFailPoints(undefined);
      assert.equal(hits, 1, point);
      const isCommitted = ["paimon.afterCommit", "paimon.afterHints"].includes(point);
      assert.equal((await lake.open().load())!.snapshotId, before + (isCommitted ? 1n : 0n), point);
      assert.deepEqual(await rowsOf(lake, lake.open()), rows, point);
      await compactAll(lake, lake.open(), wholePolicy);
      assert.deepEqual(await rowsOf(lake, lake.open()), rows, point);
    }
  });
});

async function stopped(lake: PaimonLake, table: PaimonTable): Promise<void> {
  const state = (await table.load())!;
  const prepared = await prepareWhole(lake, table).catch(() => undefined);
  if (prepared === undefined) return;
  assert.notEqual((await table.commit(table.stage(state, prepared))).outcome, "committed");
}

Deno.test("a table in more buckets holds the same rows, also those that came while it was written", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 2 });
    await churn(lake, table, { from: 0, to: 5 });
    const state = (await table.load())!;
    const limits = { bucketBytes: 5000, targetFileBytes: 1 << 20 };
    const plan = table.planRescale(state, limits)!;
    assert.equal(plan.buckets, 2 ** Math.ceil(Math.log2(Number(plan.bytes) / 2500)));
    const prepared = await table.compact(state, plan, lake.connection);
    await churn(lake, table, { from: 5, to: 7 });
    const fresh = (await table.load())!;
    const fitting = (await table.rebase(fresh, prepared))!;
    assert.equal((await table.commit(table.stage(fresh, fitting))).outcome, "committed");
    const wide = (await lake.open().load())!;
    assertLevels(wide);
    assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, 7));
    assert.deepEqual([wide.snapshot!.commitKind, wide.commitIdentifier], ["OVERWRITE", 7n]);
    assert.equal(wide.schema.options.bucket, String(plan.buckets));
    assert.equal(table.planRescale(wide, limits), undefined);
    await churn(lake, lake.open(), { from: 7, to: 9 });
    await compactAll(lake, lake.open(), wholePolicy);
    assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, 9));
  });
});

Deno.test("a rescale stopped after its schema was written leaves a table that is written and rescaled on", async () => {
  await withPaimonLake(async (lake) => {
    for (const [round, point] of ["paimon.afterSchema", "paimon.beforeCommit"].entries()) {
      await churn(lake, lake.open({ buckets: 2 }), { from: 2 * round, to: 2 * round + 1 });
      const table = lake.open();
      const [state, rescale] = [(await table.load())!, { files: 0, bytes: 0n, rows: 0n, reason: "", isUrgent: false }];
      const buckets = 2 * Number(state.schema.options.bucket);
      const prepared = await table.compact(state, { ...rescale, buckets, targetFileBytes: 1 << 20 }, lake.connection);
      armFailPoints((name) => {
        if (name === point) throw new Error("stopped");
      });
      assert.equal((await table.commit(table.stage(state, prepared))).outcome, "retryable");
      armFailPoints(undefined);
      await churn(lake, lake.open(), { from: 2 * round + 1, to: 2 * round + 2 });
      const written = (await lake.open().load())!;
      assert.equal(written.schema.options.bucket, state.schema.options.bucket);
      assert.equal(await table.rebase(written, prepared), undefined);
      const again = await table.compact(written, { ...rescale, buckets, targetFileBytes: 1 << 20 }, lake.connection);
      assert.equal((await table.commit(table.stage(written, again))).outcome, "committed");
      assert.equal((await lake.open().load())!.schema.options.bucket, String(buckets));
      assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, 2 * round + 2));
    }
  });
});

Deno.test("a rescale that a change of the schema overtook is given up, and the table stays as it was", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await churn(lake, table, { from: 0, to: 2 });
    const state = (await table.load())!;
    const plan = table.planRescale(state, { bucketBytes: 1000, targetFileBytes: 1 << 20 })!;
    const prepared = await table.compact(state, plan, lake.connection);
    const wide = { ...orders, columns: [...orderColumns, { name: "note", type: types.string, nullable: true }] };
    const change = { definition: wide, schemaChanges: [{ kind: "addColumn", column: wide.columns[3]! }] } as const;
    await applyStep(lake, table, change);
    assert.equal(await table.rebase((await table.load())!, prepared), undefined);
    await table.discard(prepared);
    assert.equal((await rowsOf(lake, lake.open())).length, (await churnedRows(lake, 2)).length);
    // A writer whose files were made for the old buckets makes them anew.
    const writer = lake.open();
    const before = (await writer.load())!;
    const stale = await writer.prepare(
      before,
      await paimonChange(lake.connection, { ...churnStep(2), definition: orders }),
    );
    const again = await table.compact(before, { ...plan, buckets: 2 }, lake.connection);
    assert.equal((await table.commit(table.stage(before, again))).outcome, "committed");
    assert.equal(writer.stillFits((await writer.load())!, stale), false);
  });
});
