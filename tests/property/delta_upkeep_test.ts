/** Random changes, merges with changes in their middle, and expiries of a Delta table: it holds what a plain table holds. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { propertyNames } from "../../lib/table/delta/properties.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { LakeModel, type ModelChange } from "../interop/lake_model.ts";
import { eagerPolicy, expireOnce, filesAreThoseReferred, mergeOnce } from "../interop/upkeep_steps.ts";

/** Of each kind of table; each takes a second or two. */
const runs = 3;

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

const range = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 7 }))
  .map(([start, count, step]) => `range(${start}, ${start + count}, ${step})`);
const upserts = range.map((of) =>
  `SELECT range AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_days((range % 3)::INTEGER) AS seen, gen_random_uuid() AS name
   FROM ${of}`
);
const removals = range.map((of) => `SELECT range AS id FROM ${of}`);
const change: fc.Arbitrary<ModelChange> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ upserts }) },
  { weight: 4, arbitrary: fc.record({ upserts, removals }) },
  { weight: 3, arbitrary: fc.record({ removals }) },
  { weight: 1, arbitrary: fc.record({ upserts, truncate: fc.constant(true) }) },
);
const meanwhile = fc.array(change, { maxLength: 3 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("change" as const), change }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("merge" as const), isFresh: fc.boolean(), meanwhile }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("expire" as const), isFresh: fc.boolean() }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Of a table that keeps no past. */
const forgetful = {
  [propertyNames.checkpointInterval]: "3",
  [propertyNames.logRetention]: "interval 0 seconds",
  [propertyNames.fileRetention]: "interval 0 seconds",
};

interface Shape {
  readonly deletes: "vectors" | "rewrite";
  readonly isByDay: boolean;
}

class Scene {
  readonly fixture: DatabaseFixture;
  readonly storage: LocalStorage;
  readonly model: LakeModel;
  readonly own: DeltaTable;
  readonly #shape: Shape;
  merged = 0;
  expired = 0;

  constructor(fixture: DatabaseFixture, shape: Shape) {
    this.fixture = fixture;
    this.#shape = shape;
    this.storage = new LocalStorage(fixture.folder);
    this.own = this.open();
    const shaped = { ...definition, ...(shape.isByDay ? { partitionByDay: "seen" } : {}) };
    this.model = new LakeModel(fixture, { definition: shaped, table: this.own });
  }

  open(): DeltaTable {
    const { storage, fixture: { connection } } = this;
    const { deletes } = this.#shape;
    const at = { storage, connection, folder: "cards", namespace: "bank", name: "cards" };
    return new DeltaTable({ ...at, deletes, properties: forgetful });
  }

  async take(step: Step): Promise<void> {
    if (step.kind === "change") return await this.model.apply(step.change);
    const table = step.isFresh ? this.open() : this.own;
    if (step.kind === "merge") {
      const isMerged = await mergeOnce({ ...this, table }, async () => {
        for (const each of step.meanwhile) await this.model.apply(each);
      });
      this.merged += isMerged ? 1 : 0;
      return await this.model.same((await this.own.scan((await this.own.load())!)).sql, "our scan after a merge");
    }
    // The writer sees the newest version before files that its own needs may go; in life the retention sees to that.
    await this.model.apply({});
    this.expired += await expireOnce({ ...this, table }, eagerPolicy);
    await filesAreThoseReferred({ ...this, table: this.open() });
  }

  async check(): Promise<void> {
    for (const table of [this.own, this.open()]) {
      const state = (await table.load())!;
      await this.model.same((await table.scan(state)).sql, "our scan");
      assert.equal(Number(state.rows), await this.model.count());
      if (this.model.steps > 0) assert.equal(state.position?.offset, `0/${this.model.steps}`);
    }
  }
}

for (const deletes of ["vectors", "rewrite"] as const) {
  for (const isByDay of [false, true]) {
    const name = `by ${deletes}, ${isByDay ? "by day" : "in one folder"}`;
    Deno.test(`Delta ${name}: any row of changes, merges and expiries leaves the rows of a plain table`, async (test) => {
      const total = { runs: 0, merged: 0, expired: 0 };
      const property = fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 20, size: "max" }),
        async (steps) => {
          await withDatabase(async (fixture) => {
            const scene = new Scene(fixture, { deletes, isByDay });
            await scene.model.create();
            for (const each of steps) await scene.take(each);
            await scene.check();
            total.runs++;
            total.merged += scene.merged;
            total.expired += scene.expired;
          }, { threads: 2 });
        },
      );
      await fc.assert(property, { seed: 3, numRuns: runs, endOnFailure: true });
      await test.step(`${total.merged} merges and ${total.expired} expired versions in ${total.runs} runs`, () => {
        // Without vectors a merge that a delete overtook is given up.
        assert.ok(
          total.merged >= (deletes === "vectors" ? runs : 1) && total.expired >= runs,
          JSON.stringify(total),
        );
      });
    });
  }
}
