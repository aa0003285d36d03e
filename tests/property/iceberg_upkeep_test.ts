/** Random changes, compactions with changes in their middle, and expiries: the table holds what a plain table holds. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { LakeModel, type ModelChange } from "../interop/lake_model.ts";
import { eagerPolicy, expireOnce, filesAreThoseReferred, mergeOnce } from "../interop/upkeep_steps.ts";

/** Of each kind of table; each takes a second or two. */
const runs = 4;

const definition: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "seen", type: types.timestamptz, nullable: true },
    { name: "name", type: types.string, nullable: true },
  ],
};

const range = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 7 }));
const numbers = ([start, count, step]: readonly [number, number, number]) =>
  `range(${start}, ${start + count}, ${step})`;
const upserts = range.map((of) =>
  `SELECT range AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_days((range % 3)::INTEGER) AS seen, gen_random_uuid() AS name
   FROM ${numbers(of)}`
);
const removals = range.map((of) => `SELECT range AS id FROM ${numbers(of)}`);

const change: fc.Arbitrary<ModelChange> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ upserts }) },
  { weight: 4, arbitrary: fc.record({ upserts, removals }) },
  { weight: 3, arbitrary: fc.record({ removals }) },
  { weight: 1, arbitrary: fc.record({ upserts, truncate: fc.constant(true) }) },
);

/** By the writer's own table, or by another process. */
const isFresh = fc.boolean();
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("change" as const), change }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("merge" as const),
      isFresh,
      meanwhile: fc.array(change, { maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("expire" as const),
      isFresh,
      keepSnapshots: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("tag" as const), name: fc.constantFrom("a", "b") }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Shape {
  readonly formatVersion: 2 | 3;
  readonly isPartitioned: boolean;
  readonly isSorted: boolean;
}

class Scene {
  readonly fixture: DatabaseFixture;
  readonly storage: LocalStorage;
  readonly model: LakeModel;
  readonly own: IcebergTable;
  readonly #tags = new Map<string, string>();
  readonly #shape: Shape;
  merged = 0;
  expired = 0;

  constructor(fixture: DatabaseFixture, shape: Shape) {
    this.fixture = fixture;
    this.#shape = shape;
    this.storage = new LocalStorage(fixture.folder);
    this.own = this.open();
    const shaped = {
      ...definition,
      ...(shape.isPartitioned ? { partitionByDay: "seen" } : {}),
      ...(shape.isSorted ? { sortBy: ["name"] } : {}),
    };
    this.model = new LakeModel(fixture, { definition: shaped, table: this.own });
  }

  open(connection = this.fixture.connection): IcebergTable {
    const { storage } = this;
    const { formatVersion } = this.#shape;
    return new IcebergTable({ storage, connection, folder: "cards", namespace: "bank", name: "cards", formatVersion });
  }

  async take(step: Step): Promise<void> {
    const table = "isFresh" in step && step.isFresh ? this.open() : this.own;
    const scene = { ...this, table };
    switch (step.kind) {
      case "change":
        return await this.model.apply(step.change);
      case "merge": {
        const isMerged = await mergeOnce(scene, async () => {
          for (const each of step.meanwhile) await this.model.apply(each);
        });
        this.merged += isMerged ? 1 : 0;
        return await this.model.same((await this.own.scan((await this.own.load())!)).sql, "our scan after a merge");
      }
      case "expire":
        // The writer sees the newest snapshot before files that its own needs may go; in life the age of snapshots sees to that.
        await this.model.apply({});
        this.expired += await expireOnce(scene, { ...eagerPolicy, keepSnapshots: step.keepSnapshots });
        return await filesAreThoseReferred({ ...scene, table: this.open() });
      case "tag":
        return await this.#tag(step.name);
    }
  }

  async #tag(name: string): Promise<void> {
    const state = (await this.own.load())!;
    if (state.snapshotId === undefined) return;
    assert.equal((await this.own.setRef(state, name, { type: "tag" })).outcome, "committed");
    const copy = `tagged_${crypto.randomUUID().replaceAll("-", "")}`;
    await this.fixture.connection.run(`CREATE TABLE ${copy} AS ${this.model.rows}`);
    this.#tags.set(name, copy);
  }

  async check(): Promise<void> {
    for (const table of [this.own, this.open()]) {
      const state = (await table.load())!;
      await this.model.same((await table.scan(state)).sql, "our scan");
      assert.equal(Number(state.rows), await this.model.count());
      if (this.model.steps > 0) assert.equal(state.position?.offset, `0/${this.model.steps}`);
      for (const [name, copy] of this.#tags) {
        const past = `FROM (${(await table.scan((await table.at(state, { ref: name }))!)).sql})`;
        const differing = await this.fixture.connection.value(
          `SELECT count(*) FROM ((FROM ${copy} EXCEPT ALL ${past}) UNION ALL (${past} EXCEPT ALL FROM ${copy}))`,
        );
        assert.equal(differing, 0n, `tag ${name}`);
      }
    }
  }
}

for (const formatVersion of [2, 3] as const) {
  for (const isPartitioned of [false, true]) {
    const isSorted = (formatVersion === 3) === isPartitioned;
    const shape = `${isPartitioned ? "partitioned by day" : "unpartitioned"}, ${isSorted ? "sorted" : "unsorted"}`;
    const name = `v${formatVersion}, ${shape}`;
    Deno.test(`${name}: any row of changes, merges, tags and expiries leaves the rows of a plain table`, async (test) => {
      const total = { runs: 0, merged: 0, expired: 0 };
      const property = fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 20, size: "max" }),
        async (steps) => {
          await withDatabase(async (fixture) => {
            const scene = new Scene(fixture, { formatVersion, isPartitioned, isSorted });
            await scene.model.create();
            for (const each of steps) await scene.take(each);
            await scene.check();
            total.runs++;
            total.merged += scene.merged;
            total.expired += scene.expired;
          }, { threads: 2 });
        },
      );
      await fc.assert(property, { numRuns: runs, endOnFailure: true });
      await test.step(`${total.runs} runs, ${total.merged} merges, ${total.expired} snapshots expired`, () => {
        assert.ok(total.runs === runs && total.merged > 0 && total.expired > 0);
      });
    });
  }
}

for (const isSorted of [false, true]) {
  Deno.test(`rows of several row groups, merged by two threads ${isSorted ? "and sorted " : ""}while a tenth of them is deleted`, () =>
    withDatabase(async (fixture) => {
      const scene = new Scene(fixture, { formatVersion: 3, isPartitioned: false, isSorted });
      await scene.model.create();
      const rows = (range: string) =>
        `SELECT range AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS seen, md5(range::VARCHAR) AS name FROM range(${range})`;
      for (const start of [0, 150_000, 300_000]) {
        await scene.model.apply({ upserts: rows(`${start}, ${start + 150_000}`) });
      }
      await scene.model.apply({ removals: "SELECT range AS id FROM range(100000, 400000, 11)" });
      const isMerged = await mergeOnce({ ...scene, table: scene.own }, async () => {
        await scene.model.apply({
          upserts: rows("0, 450000, 97"),
          removals: "SELECT range AS id FROM range(3, 450000, 10)",
        });
      });
      assert.ok(isMerged);
      await scene.check();
    }, { threads: 2 }));
}

Deno.test("a writer and upkeep by another process race for every version: no row is lost, none comes back", async (test) => {
  await withDatabase(async (fixture) => {
    const scene = new Scene(fixture, { formatVersion: 3, isPartitioned: false, isSorted: false });
    await scene.model.create();
    let isWriting = true;
    const left = new Set<string>();
    const other = scene.open(await fixture.database.connect());
    const counts = { merged: 0, conflicts: 0, expired: 0 };
    const upkeep = async () => {
      const connection = await fixture.database.connect();
      while (isWriting) {
        await mergeAgainst(other, connection, counts);
        // What it names goes at the end: the writer may still read what it knew before.
        const expiry = await other.expire((await other.load())!, { ...eagerPolicy, keepSnapshots: 8 }, {
          nowMs: Date.now(),
        });
        if (expiry.result?.outcome !== "committed") continue;
        counts.expired += expiry.snapshots;
        for (const path of expiry.unneeded) left.add(path);
      }
      connection.close();
    };
    const write = async () => {
      for (let step = 0; step < 40; step++) {
        await scene.model.apply({
          upserts: `SELECT range AS id, NULL AS seen, 'v${step}' AS name FROM range(${step * 3}, ${step * 3 + 40})`,
          removals: `SELECT range AS id FROM range(${step}, ${step + 5})`,
        });
      }
      isWriting = false;
    };
    await Promise.all([write(), upkeep()]);
    for (const path of left) await scene.storage.delete(path);
    await scene.check();
    const needed = await scene.own.referenced((await scene.own.load())!);
    for (const path of needed) assert.ok(await scene.storage.stat(path), path);
    await test.step(`${counts.merged} merges, ${counts.conflicts} conflicts, ${counts.expired} snapshots expired`, () => {
      assert.ok(counts.merged > 0 && counts.expired > 0);
    });
  }, { threads: 2 });
});

async function mergeAgainst(
  table: IcebergTable,
  connection: Connection,
  counts: { merged: number; conflicts: number },
): Promise<void> {
  const base = (await table.load())!;
  const plan = table.planCompaction(base, eagerPolicy);
  if (plan === undefined) return void await new Promise((resolve) => setTimeout(resolve, 5));
  let prepared = await table.compact(base, plan, connection);
  for (;;) {
    const state = (await table.load())!;
    const fitted = await table.rebase(state, prepared);
    if (fitted === undefined) return await table.discard(prepared);
    const { outcome } = await table.commit(table.stage(state, fitted));
    if (outcome === "committed") return void counts.merged++;
    assert.equal(outcome, "conflict");
    counts.conflicts++;
    prepared = fitted;
  }
}
