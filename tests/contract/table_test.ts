/** What tables of every format promise of one commit. */
import assert from "node:assert/strict";
import { armFailPoints } from "../../lib/fail_point.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { deltaFailPoints } from "../../lib/table/delta/fail_points.ts";
import { icebergFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { LakeTable } from "../../lib/table/lake_table.ts";
import { paimonFailPoints } from "../../lib/table/paimon/fail_points.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import { failOnceAt } from "../../lib/testing/crash_at.ts";
import { checkpointEvery } from "../../lib/testing/delta_lake.ts";
import { relationOf } from "../../lib/testing/relations.ts";
import { card, cards, TableLake, type TablePlace } from "../../lib/testing/table_lake.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";

interface Kind {
  readonly name: string;
  /** Below the storage root. */
  readonly folder: string;
  readonly definition?: TableDefinition;
  readonly open: (place: TablePlace) => LakeTable;
  readonly failPoints: readonly string[];
  /** How a commit ends that fails at one of them after it has happened. Before, it is to be tried again. */
  readonly endings: Readonly<Record<string, string>>;
  /** Whether a commit happens as this object is put. */
  readonly isDecisive: (path: string) => boolean;
}

const delta = {
  folder: "delta/bank/cards",
  failPoints: deltaFailPoints,
  endings: { "delta.afterCommit": "unknown" },
  isDecisive: (path: string) => path.includes("_delta_log"),
};
const iceberg = {
  folder: "iceberg/bank/cards",
  failPoints: icebergFailPoints,
  endings: { "iceberg.afterCommit": "unknown", "iceberg.afterHint": "committed" },
  isDecisive: (path: string) => path.endsWith(".metadata.json"),
};
const paimon = {
  folder: "paimon/bank.db/cards",
  failPoints: paimonFailPoints,
  endings: { "paimon.afterCommit": "unknown", "paimon.afterHints": "unknown" },
  isDecisive: (path: string) => path.includes("/snapshot/snapshot-"),
};

/** Each row stands in a partition of its own. */
const partitioned = { definition: { ...cards, partitionBy: ["name"] } };

const kinds: readonly Kind[] = [
  ...(["vectors", "rewrite"] as const).map((deletes) => ({
    ...deletes === "vectors" ? { name: "Delta by vectors, partitioned", ...partitioned } : { name: "Delta by rewrite" },
    ...delta,
    open: (place: TablePlace) => new DeltaTable({ ...place, folder: delta.folder, deletes, ...checkpointEvery(5) }),
  })),
  ...([2, 3] as const).map((formatVersion) => ({
    ...formatVersion === 3 ? { name: "Iceberg v3, partitioned", ...partitioned } : { name: "Iceberg v2" },
    ...iceberg,
    open: (place: TablePlace) => new IcebergTable({ ...place, folder: iceberg.folder, formatVersion }),
  })),
  { name: "Paimon", ...paimon, open: (place) => new PaimonTable({ ...place, folder: "paimon", buckets: 2 }) },
];

class Lake extends TableLake<LakeTable> {
  readonly kind: Kind;

  constructor(fixture: DatabaseFixture, kind: Kind) {
    super(fixture, { folder: kind.folder, definition: kind.definition ?? cards, text: "id || ' ' || name" });
    this.kind = kind;
  }

  override open(options: Partial<TablePlace> = {}): LakeTable {
    return this.kind.open({ ...this.place, ...options });
  }
}

function promise(title: string, body: (lake: Lake) => Promise<void>): void {
  for (const kind of kinds) {
    Deno.test(`${kind.name}: ${title}`, () => withDatabase((fixture) => body(new Lake(fixture, kind))));
  }
}

promise("what a commit keeps is what a new process reads", async (lake) => {
  const table = lake.open();
  await table.create(lake.definition);
  await lake.commit(table, { upserts: [card(1, "a"), card(2, "b"), card(3, "c")] });
  await lake.commit(table, { upserts: [card(2, "B"), card(4, "d")], removals: [{ id: "3" }, { id: "9" }] });
  assert.deepEqual(await lake.rows(table), ["1 a", "2 B", "4 d"]);
  await lake.commit(table, { upserts: [card(2, "bb")] });
  assert.deepEqual(await lake.rows(table), ["1 a", "2 bb", "4 d"]);
  assert.deepEqual(await lake.rows(), ["1 a", "2 bb", "4 d"]);
  const [kept, read] = [(await table.load())!, (await lake.open().load())!];
  assert.deepEqual([read.position?.offset, read.rows], ["0/3", kept.rows]);
  assert.equal(plain(kept), plain(read));
});

promise("parts of a load become visible together, in place of what was there", async (lake) => {
  const table = lake.open();
  await table.create(lake.definition);
  await lake.commit(table, { upserts: [card(7, "old")] });
  const state = (await table.load())!;
  const change = await lake.change({ truncate: true });
  const part = async (index: number, ...ids: number[]) => {
    const rows = ids.map((id) => card(id, "new"));
    const upserts = await relationOf(lake.fixture.connection, { definition: lake.definition, rows, replaces: false });
    return await table.prepare(state, { ...change, upserts, truncate: index === 0 });
  };
  const prepared = table.combine([await part(0, 1), await part(1, 2, 3), await part(2)]);
  assert.deepEqual(await lake.rows(), ["7 old"]);
  assert.equal((await table.commit(table.stage(state, prepared))).outcome, "committed");
  assert.deepEqual(await lake.rows(), ["1 new", "2 new", "3 new"]);
});

promise("of two writers one commits, the other is told, and no row is lost", async (lake) => {
  // Each writer has a connection of its own, as two processes would.
  const connections = [await lake.fixture.database.connect(), await lake.fixture.database.connect()];
  const tables = connections.map((connection) => lake.open({ connection }));
  await tables[0]!.create(lake.definition);
  const conflicts = await Promise.all(tables.map((table, index) => write(lake, table, index + 1)));
  assert.ok(conflicts.reduce((sum, each) => sum + each, 0) > 0, "the writers met");
  const rows = await lake.rows();
  assert.equal(rows.length, 13);
  assert.equal(rows.filter((row) => String(row).startsWith("9 ")).length, 1);
});

/** Commits six times, and gives how often it was overtaken. */
async function write(lake: Lake, table: LakeTable, writer: number): Promise<number> {
  let conflicts = 0;
  for (let step = 0; step < 6; step++) {
    const change = await lake.change({ upserts: [card(100 * writer + step, "own"), card(9, `${writer}.${step}`)] });
    for (let prepared: unknown;;) {
      const state = (await table.load())!;
      if (prepared !== undefined && !table.stillFits(state, prepared)) {
        await table.discard(prepared);
        prepared = undefined;
      }
      prepared ??= await table.prepare(state, change);
      const { outcome } = await table.commit(table.stage(state, prepared));
      assert.ok(outcome === "committed" || outcome === "conflict", outcome);
      if (outcome === "committed") break;
      conflicts++;
    }
  }
  return conflicts;
}

promise("a failure at any step loses nothing, and the next try commits once", async (lake) => {
  const table = lake.open();
  await table.create(lake.definition);
  const { failPoints, endings } = lake.kind;
  for (const [index, point] of failPoints.entries()) {
    const change = await lake.change({ upserts: [card(index, point), card(99, point)] });
    failOnceAt(point);
    const state = (await table.load())!;
    try {
      const staged = table.stage(state, await table.prepare(state, change));
      assert.equal((await table.commit(staged)).outcome, endings[point] ?? "retryable", point);
      assert.equal(await table.isCommitted(staged), point in endings, point);
    } catch (thrown) {
      assert.match(String(thrown), /Planned failure/);
    } finally {
      armFailPoints(undefined);
    }
    if ((await lake.open().load())!.position?.offset !== change.position.offset) {
      const { outcome } = await table.commit(table.stage(state, await table.prepare(state, change)));
      assert.equal(outcome, "committed", point);
    }
    assert.equal((await lake.rows()).length, index + 2, point);
  }
});

promise("a lost answer is told apart from a lost commit", async (lake) => {
  const table = lake.open();
  await table.create(lake.definition);
  for (const fault of ["before", "after"] as const) {
    const state = (await table.load())!;
    const staged = table.stage(state, await table.prepare(state, await lake.change({ upserts: [card(1, fault)] })));
    lake.storage.plan = (path) => lake.kind.isDecisive(path) ? fault : undefined;
    assert.equal((await table.commit(staged)).outcome, "unknown");
    lake.storage.plan = () => undefined;
    assert.equal(await table.isCommitted(staged), fault === "after");
    assert.equal((await table.commit(staged)).outcome, "committed", "the same commit may be tried again");
  }
  assert.deepEqual(await lake.rows(), ["1 after"]);
});

promise("a change that is given up leaves no file", async (lake) => {
  const table = lake.open();
  await table.create(lake.definition);
  await lake.commit(table, { upserts: [card(1, "a"), card(2, "b")] });
  const before = await lake.paths();
  const state = (await table.load())!;
  const prepared = await table.prepare(state, await lake.change({ upserts: [card(1, "x")] }));
  assert.ok((await lake.paths()).length > before.length);
  await table.discard(prepared);
  assert.deepEqual(await lake.paths(), before);
});

promise("a table that is there is made again as it is, and not with another key", async (lake) => {
  const made = await lake.open().create(lake.definition);
  assert.equal(plain(await lake.open().create(lake.definition)), plain(made));
  const other = lake.open().create({ ...lake.definition, key: [] });
  await assert.rejects(other, ({ kind }) => ["unsupportedSchemaChange", "precondition"].includes(kind));
});

/** Everything in a state as text, whatever classes it is made of, but what differs between who wrote it and who read it. */
function plain(value: unknown): string {
  return JSON.stringify(value, (key, each) => {
    if (key === "checkpoint") return undefined;
    if (each instanceof Map) return [...each].sort(([left], [right]) => left < right ? -1 : 1);
    if (typeof each === "bigint") return `${each}n`;
    if (each?.type === "Buffer") return each.data;
    if (ArrayBuffer.isView(each)) return [...each as Uint8Array];
    return each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => left < right ? -1 : 1))
      : each;
  });
}
