import assert from "node:assert/strict";
import { join } from "node:path";
import type { TableChange } from "../../change/sink.ts";
import { types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { identifier } from "../../engine/quote.ts";
import { armFailPoints } from "../../fail_point.ts";
import {
  applyStep,
  orderColumns,
  orders,
  paimonChange,
  type PaimonStep,
  rowsOf,
  withPaimonLake,
} from "../../testing/paimon_lake.ts";
import { paimonFailPoints } from "./fail_points.ts";
import type { PaimonTable } from "./paimon_table.ts";

Deno.test("upserts and removals by key leave the newest row of each key", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    await applyStep(lake, table, {
      upserts: "SELECT i AS id, 'a' || i AS name, i::DECIMAL(12,2) AS amount FROM range(5) r(i)",
    });
    await applyStep(lake, table, {
      upserts: "SELECT 1 AS id, NULL AS name, 7.5 AS amount UNION ALL SELECT 9, '', 0",
      removals: "SELECT 2 AS id UNION ALL SELECT 1",
    });
    const expected = [
      "{'id': 0, 'name': a0, 'amount': 0.00}",
      "{'id': 1, 'name': NULL, 'amount': 7.50}",
      "{'id': 3, 'name': a3, 'amount': 3.00}",
      "{'id': 4, 'name': a4, 'amount': 4.00}",
      "{'id': 9, 'name': '', 'amount': 0.00}",
    ].sort();
    assert.deepEqual((await rowsOf(lake, table)).map(loose), expected.map(loose));
    assert.deepEqual((await rowsOf(lake, lake.open())).map(loose), expected.map(loose));
  });
});

/** DuckDB quotes an empty text inside a struct, and nothing else here. */
function loose(line: string): string {
  return line.replaceAll("''", "");
}

Deno.test("a child table loses all rows of a removed parent, except those written again", async () => {
  const child: TableDefinition = {
    namespace: "shop",
    name: "lines",
    columns: [orderColumns[0]!, { name: "ordinal", type: types.int32, nullable: false }, orderColumns[1]!],
    key: ["id", "ordinal"],
    colocation: ["id"],
  };
  await withPaimonLake(async (lake) => {
    const table = lake.open({ name: "lines" });
    const step = (rest: PaimonStep): PaimonStep => ({ definition: child, scope: ["id"], ...rest });
    await applyStep(
      lake,
      table,
      step({ upserts: "SELECT i // 3 AS id, i % 3 AS ordinal, 'x' AS name FROM range(300) r(i)" }),
    );
    await applyStep(
      lake,
      table,
      step({ removals: "SELECT 5 AS id UNION ALL SELECT 6", upserts: "SELECT 5 AS id, 1 AS ordinal, 'y' AS name" }),
    );
    const { sql: select } = await table.scan((await lake.open({ name: "lines" }).load())!);
    assert.equal(await lake.connection.value(`SELECT count(*) FROM (${select})`), 295n);
    const rows = await lake.connection.rows(`SELECT * FROM (${select}) WHERE id IN (5, 6)`);
    assert.deepEqual(rows, [{ id: 5n, ordinal: 1, name: "y" }]);
    const state = (await table.load())!;
    assert.equal(state.rows, 300n + 6n);
  });
});

Deno.test("truncate removes every earlier row, and rows of the same change stay", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    await applyStep(lake, table, { upserts: "SELECT i AS id, 'a' AS name, 1 AS amount FROM range(100) r(i)" });
    await applyStep(lake, table, { truncate: true, upserts: "SELECT 3 AS id, 'b' AS name, 2 AS amount" });
    assert.deepEqual(await rowsOf(lake, lake.open()), ["{'id': 3, 'name': b, 'amount': 2.00}"]);
    await applyStep(lake, table, { truncate: true });
    assert.deepEqual(await rowsOf(lake, lake.open()), []);
    assert.equal((await lake.open().load())!.rows, 0n);
  });
});

Deno.test("columns are added, renamed, widened and dropped, and old files are read through their own schema", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    await applyStep(lake, table, { upserts: "SELECT 1 AS id, 'a' AS name, 1.5 AS amount" });
    const renamed: TableDefinition = {
      ...orders,
      columns: [
        orderColumns[0]!,
        { ...orderColumns[2]!, name: "total", type: types.decimal(18, 2) },
        { name: "name", type: types.int32, nullable: true },
      ],
    };
    await applyStep(lake, table, {
      definition: renamed,
      schemaChanges: [
        { kind: "renameColumn", from: "amount", to: "total" },
        { kind: "widenColumn", name: "total", type: types.decimal(18, 2) },
        { kind: "dropColumn", name: "name" },
        { kind: "addColumn", column: renamed.columns[2]! },
      ],
      upserts: "SELECT 2 AS id, 123456789012.34 AS total, 9 AS name",
    });
    const expected = ["{'id': 1, 'total': 1.50, 'name': NULL}", "{'id': 2, 'total': 123456789012.34, 'name': 9}"];
    assert.deepEqual(await rowsOf(lake, lake.open()), expected);
    assert.deepEqual(await rowsOf(lake, table), expected);
    const { schema } = (await lake.open().load())!;
    assert.deepEqual(schema.fields.map(({ id, name }) => [id, name]), [[0, "id"], [2, "total"], [3, "name"]]);
  });
});

Deno.test("a table without a key keeps every row it is given", async () => {
  const appended = { ...orders, key: [] };
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    for (const amount of [1, 2]) {
      await applyStep(lake, table, {
        definition: appended,
        upserts: `SELECT 1 AS id, 'a' AS name, ${amount} AS amount`,
      });
    }
    assert.equal((await rowsOf(lake, lake.open())).length, 2);
    const change = await paimonChange(lake.connection, { definition: appended, removals: "SELECT 1 AS id" });
    await assert.rejects(table.prepare((await table.load())!, change), TypeError);
  });
});

Deno.test("the position travels with the data, and can be moved and taken away alone", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    await applyStep(lake, table, { upserts: "SELECT 1 AS id, 'a' AS name, 1 AS amount", offset: "0/5" });
    assert.equal((await lake.open().load())!.position?.offset, "0/5");
    await table.recordPosition((await table.load())!, { instance: "postgres:1/1", offset: "0/9" });
    const moved = (await lake.open().load())!;
    assert.deepEqual([moved.position?.offset, moved.commitTimeMs, moved.snapshotId], ["0/9", 1000, 2n]);
    await table.recordPosition((await table.load())!, undefined);
    assert.equal((await lake.open().load())!.position, undefined);
    assert.equal((await rowsOf(lake, lake.open())).length, 1);
  });
});

Deno.test("two writers on one state: one commits, the other is told of the conflict and may go on", async () => {
  await withPaimonLake(async (lake) => {
    const [left, right] = [lake.open(), lake.open()];
    await applyStep(lake, left, { upserts: "SELECT 1 AS id, 'a' AS name, 1 AS amount" });
    const state = (await right.load())!;
    const prepared = await right.prepare(
      state,
      await paimonChange(lake.connection, { upserts: "SELECT 1 AS id, 'r' AS name, 3 AS amount" }),
    );
    await applyStep(lake, left, { upserts: "SELECT 1 AS id, 'l' AS name, 2 AS amount" });
    const staged = right.stage(state, prepared);
    assert.deepEqual(await right.commit(staged), { outcome: "conflict" });
    assert.equal(await right.isCommitted(staged), false);
    const fresh = (await right.load())!;
    assert.equal(right.stillFits(fresh, prepared), false);
    await right.discard(prepared);
    const again = await right.prepare(
      fresh,
      await paimonChange(lake.connection, { upserts: "SELECT 1 AS id, 'r' AS name, 3 AS amount" }),
    );
    assert.equal((await right.commit(right.stage(fresh, again))).outcome, "committed");
    assert.deepEqual(await rowsOf(lake, lake.open()), ["{'id': 1, 'name': r, 'amount': 3.00}"]);
  });
});

Deno.test("stopped at any point, a commit is there whole or not at all, and its replay is clean", async () => {
  const wider = { ...orders, columns: [...orderColumns, { name: "note", type: types.string, nullable: true }] };
  for (const point of paimonFailPoints) {
    await withPaimonLake(async (lake) => {
      await applyStep(lake, lake.open({ buckets: 2 }), {
        upserts: "SELECT i AS id, 'a' AS name, 1 AS amount FROM range(4) r(i)",
      });
      const change = await paimonChange(lake.connection, {
        definition: wider,
        schemaChanges: [{ kind: "addColumn", column: wider.columns[3]! }],
        upserts: "SELECT i AS id, 'b' AS name, 2 AS amount, 'n' AS note FROM range(2, 20) r(i)",
        removals: "SELECT 1 AS id",
        offset: "0/2",
      });
      let hits = 0;
      armFailPoints((name) => {
        if (name === point && ++hits > 0) throw new Error("stopped");
      });
      const stopped = await attempt(lake.open(), change);
      armFailPoints(undefined);
      assert.equal(hits, 1, point);
      const committed = ["paimon.afterCommit", "paimon.afterHints"].includes(point);
      assert.equal((await lake.open().load())!.position?.offset, committed ? "0/2" : "0/1", point);
      assert.equal(stopped, committed ? "unknown" : point.endsWith("DataFiles") ? "thrown" : "retryable", point);
      if (!committed) assert.equal(await attempt(lake.open(), change), "committed");
      assert.equal((await rowsOf(lake, lake.open())).length, 19);
      assert.equal((await lake.open().load())!.schema.id, 1);
      const latest = await Deno.readTextFile(join(lake.folder, "paimon/shop.db/orders/snapshot/LATEST"));
      assert.equal(latest, "2", point);
    });
  }
});

async function attempt(table: PaimonTable, change: TableChange): Promise<string> {
  const state = (await table.load())!;
  try {
    return (await table.commit(table.stage(state, await table.prepare(state, change)))).outcome;
  } catch {
    return "thrown";
  }
}

Deno.test("a table whose hints cannot be mended is read all the same", async () => {
  await withPaimonLake(async (lake) => {
    await applyStep(lake, lake.open(), { upserts: "SELECT 1 AS id, 'a' AS name, 1 AS amount" });
    for (const hint of ["LATEST", "EARLIEST"]) {
      await lake.storage.delete(`paimon/shop.db/orders/snapshot/${hint}`);
      lake.storage.plan = () => "before";
      const table = lake.open();
      assert.equal((await table.load())!.snapshotId, 1n, hint);
      assert.equal((await rowsOf(lake, table)).length, 1, hint);
      lake.storage.plan = () => undefined;
    }
  });
});

Deno.test("damaged metadata is refused with the name of the file", async () => {
  await withPaimonLake(async (lake) => {
    await applyStep(lake, lake.open(), { upserts: "SELECT 1 AS id, 'a' AS name, 1 AS amount" });
    const root = join(lake.folder, "paimon/shop.db/orders");
    const manifests = [...Deno.readDirSync(join(root, "manifest"))].map(({ name }) => `manifest/${name}`);
    for (const file of ["schema/schema-0", "snapshot/snapshot-1", ...manifests]) {
      const bytes = await Deno.readFile(join(root, file));
      await Deno.writeFile(join(root, file), bytes.subarray(0, Math.floor(bytes.length / 2)));
      await assert.rejects(lake.open().load(), (thrown: Error & { kind?: string }) => {
        return thrown.kind === "tableUnreadable" && thrown.message.includes(file);
      });
      await Deno.writeFile(join(root, file), bytes);
    }
    for (const file of manifests) {
      const bytes = await Deno.readFile(join(root, file));
      await Deno.remove(join(root, file));
      await assert.rejects(lake.open().load(), { kind: "tableUnreadable" });
      await Deno.writeFile(join(root, file), bytes);
    }
    assert.equal((await rowsOf(lake, lake.open())).length, 1);
  });
});

Deno.test("text keys order by their bytes, a leading U+FEFF and emoji among them", async () => {
  const byName = { ...orders, key: ["name"] };
  await withPaimonLake(async (lake) => {
    const table = lake.open();
    const names = ["", "a", "Z", "é", "\uFEFFa", "\u{1F600}", "\uFFFD", "a\nb", "x".repeat(200)];
    const rows = names.map((name) => `SELECT 1 AS id, chr(${name.codePointAt(0) ?? 0}) AS name, 1 AS amount`);
    await lake.connection.run("CREATE TABLE texts (id BIGINT, name VARCHAR, amount DECIMAL(12,2))");
    assert.ok(rows.length > 0);
    for (const name of names) {
      await lake.connection.exclusively((native) => native.run("INSERT INTO texts VALUES (1, $1, 1)", [name]));
    }
    for (let round = 0; round < 3; round++) {
      await applyStep(lake, table, { definition: byName, upserts: `SELECT ${round} AS id, name, amount FROM texts` });
    }
    const { sql: select } = await lake.open().scan((await lake.open().load())!);
    const missing = await lake.connection.value(
      `SELECT count(*) FROM texts ANTI JOIN (SELECT * FROM (${select}) WHERE id = 2) USING (${identifier("name")})`,
    );
    assert.equal(missing, 0n);
    assert.equal(await lake.connection.value(`SELECT count(*) FROM (${select})`), BigInt(names.length));
  });
});
