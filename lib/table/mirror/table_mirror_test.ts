import assert from "node:assert/strict";
import type { Column } from "../../dataset/column.ts";
import { types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { WeirError } from "../../errors.ts";
import { definition, eagerPolicy as policy, key, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import { DeltaTable } from "../delta/delta_table.ts";
import { refuseColumns } from "../delta/mirror_description.ts";
import { DeltaMirror } from "../delta/mirror_table.ts";
import type { IcebergTable } from "../iceberg/iceberg_table.ts";
import { PaimonMirror } from "../paimon/mirror_table.ts";
import { PaimonTable } from "../paimon/paimon_table.ts";
import { refuseReserved } from "../paimon/schema.ts";
import { TableMirror } from "./table_mirror.ts";

/** The mirrors of a lake's table, and what they told of. */
class Mirrors {
  readonly trouble: string[] = [];
  readonly mirror: TableMirror;
  readonly #lake: Lake;

  constructor(lake: Lake, primary: IcebergTable, keepMs = 3_600_000) {
    const { storage, fixture: { connection } } = lake;
    const at = { storage, connection, namespace: "bank", name: "cards", keepMs };
    this.#lake = lake;
    this.mirror = new TableMirror({
      ...{ primary, storage, connection },
      targets: [new DeltaMirror({ ...at, folder: "delta/bank/cards" }), new PaimonMirror({ ...at, folder: "paimon" })],
      onTrouble: ({ format }, { message }) => this.trouble.push(`${format}: ${message}`),
    });
  }

  async follow(table: IcebergTable): Promise<void> {
    this.mirror.follow((await table.load())!);
    await this.mirror.settled();
  }

  /** The mirrors as tables. */
  tables() {
    const { storage, fixture: { connection } } = this.#lake;
    const at = { storage, connection, namespace: "bank", name: "cards" };
    return [
      new DeltaTable({ ...at, folder: "delta/bank/cards" }),
      new PaimonTable({ ...at, folder: "paimon" }),
    ] as const;
  }

  /** Names of the rows that each mirror shows. */
  async names(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const table of this.tables()) {
      const state = (await table.load())!;
      const { sql: scan } = await table.scan(state as never);
      const rows = await this.#lake.fixture.connection.rows(
        `SELECT string_agg(name, '' ORDER BY name) AS names FROM (${scan})`,
      );
      found.push(String(rows[0]!["names"] ?? ""));
    }
    return found;
  }
}

Deno.test(
  "a mirror comes to the newest snapshot over any number of them, and shows every one that it comes to",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    const mirrors = new Mirrors(lake, table);
    await mirrors.follow(table);
    assert.deepEqual(await mirrors.names(), ["", ""]);
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b")] });
    await mirrors.follow(table);
    assert.deepEqual(await mirrors.names(), ["ab", "ab"]);
    await lake.commit(table, { upserts: [row(3, 0, "c")], removals: [key(1, 0)] });
    await lake.commit(table, { upserts: [row(2, 0, "B")] });
    await lake.commit(table, { upserts: [row(4, 0, "d")] });
    await mirrors.follow(table);
    assert.deepEqual([await mirrors.names(), mirrors.trouble], [["Bcd", "Bcd"], []]);
    const { snapshotId, position } = (await table.load())!;
    for (const shown of (await mirrors.mirror.points()).values()) assert.deepEqual(shown, { snapshotId, position });
  }),
);

Deno.test(
  "a mirror whose folder is removed while its table is written is made again, whole",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a")] });
    const mirrors = new Mirrors(lake, table);
    await mirrors.follow(table);
    for (const folder of ["delta", "paimon"]) {
      for await (const { path } of lake.storage.list(folder)) await lake.storage.delete(path);
    }
    await lake.commit(table, { upserts: [row(2, 0, "b")] });
    await mirrors.follow(table);
    assert.deepEqual([await mirrors.names(), mirrors.trouble], [["ab", "ab"], []]);
    assert.notEqual(await lake.storage.stat("paimon/bank.db/cards/consumer/consumer-weir"), undefined);
  }),
);

Deno.test(
  "a mirror that shows the newest snapshot commits nothing, and a position alone is followed",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a")] });
    const mirrors = new Mirrors(lake, table);
    await mirrors.follow(table);
    const versions = async () => {
      const [delta, paimon] = mirrors.tables();
      return [(await delta.load())!.snapshotId, (await paimon.load())!.snapshotId];
    };
    const before = await versions();
    await mirrors.follow(table);
    await new Mirrors(lake, table).follow(table);
    assert.deepEqual(await versions(), before);
    await table.recordPosition((await table.load())!, { instance: "test:1/1", offset: "0/9" });
    await mirrors.follow(table);
    for (const each of mirrors.tables()) assert.equal((await each.load())!.position?.offset, "0/9");
  }),
);

Deno.test(
  "a table that says it is mirrored keeps its snapshots from whoever does not know what mirrors show",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a")] });
    await table.setMirroredAs((await table.load())!, ["delta", "paimon"]);
    assert.equal((await table.load())!.metadata.properties["gc.enabled"], "false");
    const mirrors = new Mirrors(lake, table, 0);
    await mirrors.follow(table);
    await lake.commit(table, { upserts: [row(1, 0, "b")] });
    await lake.commit(table, { truncate: true, upserts: [row(1, 0, "c")] });
    const state = (await table.load())!;
    const nowMs = Date.now() + 1;
    assert.deepEqual(await table.expire(state, policy, { nowMs }), { snapshots: 0, unneeded: [] });
    const shown = await mirrors.mirror.keepFrom(state, policy, nowMs);
    assert.equal(shown, (await table.history(state))[0]!.id);
    assert.equal((await table.expire(state, policy, { nowMs, keepFrom: shown })).snapshots, 0);
    await mirrors.follow(table);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const newest = await mirrors.mirror.keepFrom(state, policy, Date.now());
    assert.equal(newest, state.snapshotId);
    assert.equal((await table.expire(state, policy, { nowMs: Date.now(), keepFrom: newest })).snapshots, 2);
    assert.deepEqual(await mirrors.names(), ["c", "c"]);
  }),
);

Deno.test(
  "the files of a mirror's own that nothing refers to leave with its old versions, and no file of the table",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    const mirrors = new Mirrors(lake, table, 0);
    for (let step = 0; step < 4; step++) {
      await lake.commit(table, { upserts: [row(1, 0, `a${step}`), row(2, step, "b")] });
      await mirrors.follow(table);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
    const paths = async (folder: string) => await Array.fromAsync(lake.storage.list(folder), ({ path }) => path);
    const before = await paths("iceberg");
    await mirrors.mirror.expire(policy, Date.now());
    assert.deepEqual(await paths("iceberg"), before);
    const vectors = (await paths("delta")).filter((path) => path.includes("deletion_vector"));
    const kept = [vectors.length, (await paths("paimon/bank.db/cards/index")).length];
    assert.deepEqual(kept, [3, 1]);
    assert.equal((await paths("paimon/bank.db/cards/snapshot")).filter((path) => /snapshot-\d+$/.test(path)).length, 1);
    assert.deepEqual([await mirrors.names(), mirrors.trouble], [["a3bbbb", "a3bbbb"], []]);
    assert.ok(
      new Set(before.filter((path) => path.endsWith(".parquet"))).isSubsetOf(await mirrors.mirror.referenced()),
    );
  }),
);

Deno.test(
  "a Delta mirror of a table with files of narrower columns waits until they are written anew",
  onLake(async (lake) => {
    const counted = (type: Column["type"]) => {
      return { ...definition, columns: [...definition.columns, { name: "n", type, nullable: true }] };
    };
    const [narrow, wide] = [counted(types.int32), counted(types.int64)];
    const table = lake.open();
    await table.create(narrow);
    await lake.commit(table, { definition: narrow, upserts: [{ ...row(1, 0, "a"), n: "1" }] });
    const mirrors = new Mirrors(lake, table);
    await mirrors.follow(table);
    // Nobody said that there is a mirror: so it is with what another writer widens.
    await lake.commit(table, { definition: wide, upserts: [{ ...row(2, 0, "b"), n: "9007199254740993" }] });
    await mirrors.follow(table);
    assert.deepEqual(await mirrors.names(), ["a", "ab"]);
    assert.match(mirrors.trouble.join(), /^delta: Cannot mirror column n as Delta: it became wider/);
    await table.setMirroredAs((await table.load())!, ["delta", "paimon"]);
    await lake.commit(table, { definition: wide, upserts: [{ ...row(3, 0, "c"), n: "3" }] });
    await mirrors.follow(table);
    assert.deepEqual([await mirrors.names(), mirrors.trouble.length], [["abc", "abc"], 1]);
  }),
);

Deno.test(
  "a mirror is not written, and a written table is not mirrored over",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a")] });
    const mirrors = new Mirrors(lake, table);
    await mirrors.follow(table);
    for (const each of mirrors.tables()) {
      const state = (await each.load())! as never;
      const change = await lake.change({ upserts: [row(2, 0, "b")] });
      await assert.rejects(each.prepare(state, change), { kind: "precondition", message: /is a mirror/ });
      assert.equal(each.planCompaction(state, policy), undefined);
    }
    const { storage, fixture: { connection } } = lake;
    const at = { storage, connection, namespace: "bank", name: "other" };
    const written = [
      new DeltaTable({ ...at, folder: "delta/bank/other" }),
      new PaimonTable({ ...at, folder: "paimon" }),
    ];
    for (const each of written) await each.create({ ...definition, name: "other" });
    const targets = [
      new DeltaMirror({ ...at, folder: "delta/bank/other", keepMs: 0 }),
      new PaimonMirror({ ...at, folder: "paimon", keepMs: 0 }),
    ];
    for (const target of targets) {
      await assert.rejects(target.load(), { kind: "precondition", message: /no mirror stands there/ });
    }
  }),
);

Deno.test("columns that a format cannot hold are refused with column, format and what to do", () => {
  const withColumns = (...names: string[]): TableDefinition["columns"] =>
    names.map((name) => ({ name, type: types.string, nullable: true }));
  const said = (work: () => void): string => {
    try {
      work();
    } catch (thrown) {
      assert.ok(thrown instanceof WeirError && thrown.kind === "configuration");
      return `${thrown.message}; ${thrown.advice}`;
    }
    return "";
  };
  const table = { namespace: "bank", name: "cards" };
  assert.match(said(() => refuseColumns(table, withColumns("Id", "id"))), /bank\.cards as Delta.* Id and id .*Rename/);
  assert.match(said(() => refuseReserved(table, withColumns("_KEY_id"))), /bank\.cards as Paimon.*_KEY_id.*Rename/);
  assert.equal(said(() => refuseColumns(table, withColumns("a b", "id"))), "");
});
