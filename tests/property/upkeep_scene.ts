/** Random changes of a table, merges with changes in their middle, and expiries, beside a plain table that says what it must hold. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import type { TableState } from "../../lib/table/lake_table.ts";
import type { UpkeepTable } from "../../lib/table/upkeep.ts";
import type { TablePlace } from "../../lib/testing/table_lake.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { LakeModel, type ModelChange } from "../interop/lake_model.ts";
import { eagerPolicy, expireOnce, filesAreThoseReferred, mergeOnce } from "../interop/upkeep_steps.ts";

/** A keyed table. */
export const cards: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "seen", type: types.timestamptz, nullable: true },
    { name: "name", type: types.string, nullable: true },
  ],
};

/** {@linkcode cards} partitioned by a value and by day; a row may go from one partition to another. */
export const partitionedCards: TableDefinition = {
  ...cards,
  columns: [...cards.columns, { name: "land", type: types.string, nullable: true }],
  partitionBy: ["land"],
  partitionByDay: "seen",
};

/** What is kept up. */
export interface UpkeepShape<Table extends UpkeepTable> {
  /** {@linkcode cards} or {@linkcode partitionedCards}, sorted as it may be. */
  readonly definition: TableDefinition;
  open(place: TablePlace): Table;
  /** Absent where the format has none. */
  readonly tags?: {
    set(table: Table, state: TableState, name: string): Promise<void>;
    at(table: Table, state: TableState, name: string): Promise<TableState>;
  };
}

const range = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 7 }))
  .map(([start, count, step]) => `range(${start}, ${start + count}, ${step})`);
const upserts = range.map((of) =>
  `SELECT range AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_days((range % 3)::INTEGER) AS seen, gen_random_uuid() AS name,
     CASE WHEN range % 5 > 0 THEN 'a/b=' || (range + ${of.length}) % 2 END AS land FROM ${of}`
);
const removals = range.map((of) => `SELECT range AS id FROM ${of}`);
const change: fc.Arbitrary<ModelChange> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ upserts }) },
  { weight: 4, arbitrary: fc.record({ upserts, removals }) },
  { weight: 3, arbitrary: fc.record({ removals }) },
  { weight: 1, arbitrary: fc.record({ upserts, truncate: fc.constant(true) }) },
);
/** By the writer's own table, or by another process. */
const isFresh = fc.boolean();
const meanwhile = fc.array(change, { maxLength: 3 });
const keepSnapshots = fc.integer({ min: 1, max: 4 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("change" as const), change }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("merge" as const), isFresh, meanwhile }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("expire" as const), isFresh, keepSnapshots }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("tag" as const), name: fc.constantFrom("a", "b") }) },
);
/** What happens to a table, one thing after the other. */
export const steps = fc.array(step, { minLength: 10, maxLength: 20, size: "max" });

/** One thing that happens. */
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The table, and the plain one. */
export class UpkeepScene<Table extends UpkeepTable> {
  readonly fixture: DatabaseFixture;
  readonly storage: LocalStorage;
  readonly model: LakeModel<Table>;
  /** The writer's. */
  readonly own: Table;
  readonly #shape: UpkeepShape<Table>;
  readonly #tags = new Map<string, string>();
  merged = 0;
  expired = 0;

  constructor(fixture: DatabaseFixture, shape: UpkeepShape<Table>) {
    this.fixture = fixture;
    this.#shape = shape;
    this.storage = new LocalStorage(fixture.folder);
    this.own = this.open();
    this.model = new LakeModel(fixture, { definition: shape.definition, table: this.own });
  }

  /** The table as a newly started process opens it. */
  open(connection: Connection = this.fixture.connection): Table {
    const { namespace, name } = cards;
    return this.#shape.open({ storage: this.storage, connection, namespace, name });
  }

  /** Takes a step, and looks at what must hold after it. */
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
    const { tags } = this.#shape;
    const state = (await this.own.load())!;
    if (tags === undefined || state.snapshotId === undefined) return;
    await tags.set(this.own, state, name);
    const copy = `tagged_${crypto.randomUUID().replaceAll("-", "")}`;
    await this.fixture.connection.run(`CREATE TABLE ${copy} AS ${this.model.rows}`);
    this.#tags.set(name, copy);
  }

  /** The writer's table and a new process's hold what the plain one holds, and tags what it held. */
  async check(): Promise<void> {
    for (const table of [this.own, this.open()]) {
      const state = (await table.load())!;
      await this.model.same((await table.scan(state)).sql, "our scan");
      assert.equal(Number(state.rows), await this.model.count());
      if (this.model.steps > 0) assert.equal(state.position?.offset, `0/${this.model.steps}`);
      for (const [name, copy] of this.#tags) await this.#checkTag(table, { state, name, copy });
    }
  }

  async #checkTag(
    table: Table,
    { state, name, copy }: { readonly state: TableState; readonly name: string; readonly copy: string },
  ): Promise<void> {
    const tagged = await this.#shape.tags!.at(table, state, name);
    const past = `FROM (${(await table.scan(tagged)).sql})`;
    const differing = await this.fixture.connection.value(
      `SELECT count(*) FROM ((FROM ${copy} EXCEPT ALL ${past}) UNION ALL (${past} EXCEPT ALL FROM ${copy}))`,
    );
    assert.equal(differing, 0n, `tag ${name}`);
  }
}
