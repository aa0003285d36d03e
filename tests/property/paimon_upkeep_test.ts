/**
 * Random changes of tables with and without partitions, compactions that land some commits later, rescales, expiries, tags and
 * restarts: the table holds what a plain DuckDB table holds after the same changes, no file is missing, and none is left over.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { PaimonPrepared } from "../../lib/table/paimon/prepared.ts";
import type { PaimonState } from "../../lib/table/paimon/table_state.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";
import { assertLevels } from "../../lib/testing/paimon_churn.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { LakeModel } from "../interop/lake_model.ts";

const columns = [
  { name: "id", type: types.int64, nullable: false },
  { name: "part", type: types.string, nullable: false },
  { name: "k0", type: types.float64, nullable: true },
];

/** One thing that happens. Keys are drawn from 0 to 999. */
type Step =
  | {
    readonly kind: "change";
    readonly from: number;
    readonly count: number;
    readonly stride: number;
    readonly removed: number;
  }
  | { readonly kind: "truncate" }
  | { readonly kind: "addColumn" }
  | { readonly kind: "merge"; readonly mergeFiles: number; readonly targetFileBytes: number }
  | { readonly kind: "rescale" }
  | { readonly kind: "land" }
  | { readonly kind: "expire"; readonly keepSnapshots: number }
  | { readonly kind: "tag" }
  | { readonly kind: "restart" };

const change: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant("change"),
  from: fc.integer({ min: 0, max: 900 }),
  count: fc.integer({ min: 1, max: 200 }),
  stride: fc.constantFrom(1, 3, 17),
  removed: fc.integer({ min: 0, max: 60 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: change },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("merge"),
      mergeFiles: fc.integer({ min: 1, max: 6 }),
      targetFileBytes: fc.constantFrom(1500, 4000, 1 << 20),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: "land" }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("expire"), keepSnapshots: fc.integer({ min: 1, max: 4 }) }) },
  ...(["rescale", "tag", "restart", "truncate", "addColumn"] as const).map((kind) => ({
    weight: 1,
    arbitrary: fc.constant({ kind }),
  })),
);

const upkeep: UpkeepPolicy = {
  targetFileBytes: 1 << 20,
  mergeFiles: 4,
  deletedShare: 0.2,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

class Scene {
  readonly #fixture: DatabaseFixture;
  readonly #storage: LocalStorage;
  readonly #definition: TableDefinition;
  #table: PaimonTable;
  #model: LakeModel;
  #prepared: PaimonPrepared | undefined;
  readonly #tagged = new Map<string, string>();
  landed = 0;

  constructor(fixture: DatabaseFixture, definition: Pick<TableDefinition, "name" | "key" | "partitionBy">) {
    this.#fixture = fixture;
    this.#storage = new LocalStorage(fixture.folder);
    this.#definition = { namespace: "shop", columns, ...definition };
    this.#table = this.#open();
    this.#model = new LakeModel(fixture, { definition: this.#definition, table: this.#table });
  }

  async create(): Promise<void> {
    await this.#model.create();
  }

  #open(): PaimonTable {
    const { connection } = this.#fixture;
    const { namespace, name } = this.#definition;
    const at = { storage: this.#storage, connection, folder: "paimon", namespace, name };
    return new PaimonTable({ ...at, buckets: 2 });
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case "change":
        return await this.#change(step);
      case "truncate":
        return await this.#model.apply({ truncate: true });
      case "addColumn":
        return await this.#addColumn();
      case "merge":
        return await this.#prepare((state) => this.#table.planCompaction(state, { ...upkeep, ...step }));
      case "rescale":
        return await this.#prepare((state) =>
          this.#table.planRescale(state, { bucketBytes: 8000, targetFileBytes: 1 << 20 })
        );
      case "land":
        return await this.#land();
      case "expire":
        return await this.#expire(step.keepSnapshots);
      case "tag":
        return await this.#tag();
      case "restart":
        return await this.#check(this.#open());
    }
  }

  async #change({ from, count, stride, removed }: Extract<Step, { kind: "change" }>): Promise<void> {
    const added = this.#model.definition.columns.slice(columns.length).map(({ name }) => `, i AS ${name}`).join("");
    const upserts = `SELECT i AS id, 'p=' || (i % 3) AS part, random() AS k0${added}
      FROM range(${from}, ${from + count * stride}, ${stride}) r(i)`;
    const gone = `SELECT i AS id, 'p=' || (i % 3) AS part FROM range(${removed}, 1000, 61) r(i)`;
    // Random values are drawn once, for the table and for its oracle.
    await this.#fixture.connection.run(`CREATE OR REPLACE TEMP TABLE drawn AS ${upserts}`);
    await this.#model.apply({ upserts: "FROM drawn", ...this.#definition.key.length > 0 && { removals: gone } });
  }

  async #addColumn(): Promise<void> {
    const name = `added_${this.#model.steps}`;
    const column = { name, type: types.int64, nullable: true };
    await this.#model.apply({ schemaChanges: [{ kind: "addColumn", column }] });
  }

  async #prepare(
    plan: (
      state: PaimonState,
    ) => ReturnType<PaimonTable["planRescale"] | PaimonTable["planCompaction"]>,
  ): Promise<void> {
    if (this.#prepared !== undefined) return;
    const state = await this.state();
    const planned = plan(state);
    if (planned !== undefined) {
      this.#prepared = await this.#table.compact(state, planned, this.#fixture.connection);
    }
  }

  async #land(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) return;
    const state = await this.state();
    const fitting = await this.#table.rebase(state, prepared);
    if (fitting === undefined) return await this.#table.discard(prepared);
    assert.equal((await this.#table.commit(this.#table.stage(state, fitting))).outcome, "committed");
    this.landed++;
    assertLevels(await this.state());
    await this.#check(this.#table);
  }

  async #expire(keepSnapshots: number): Promise<void> {
    const state = await this.state();
    if (state.snapshotId === undefined) return;
    const { unneeded } = await this.#table.expire(state, { ...upkeep, keepSnapshots }, { nowMs: Date.now() });
    for (const path of unneeded) await this.#storage.delete(path);
    await this.#assertClean();
  }

  async #tag(): Promise<void> {
    const { snapshotId } = await this.state();
    const name = `t${snapshotId}`;
    if (snapshotId === undefined || this.#tagged.has(name)) return;
    await this.#table.createTag(name, snapshotId);
    this.#tagged.set(name, await this.#hash(await this.state()));
  }

  /** What is there is what is referred to, but for files that wait for their commit. */
  async #assertClean(): Promise<void> {
    const present: string[] = [];
    for await (const { path } of this.#storage.list(this.#storage.path(this.#table.location))) present.push(path);
    const waiting = new Set(this.#prepared === undefined ? [] : this.#prepared.paths);
    const referenced = await this.#table.referenced(await this.state());
    assert.deepEqual(present.filter((path) => !waiting.has(path)).sort(), [...referenced].sort());
  }

  async #check(table: PaimonTable): Promise<void> {
    const state = await table.load();
    if (state !== undefined) await this.#model.same((await table.scan(state)).sql, "our scan");
  }

  async end(): Promise<void> {
    await this.#land();
    // A last one, whatever the run was: few random runs plan a compaction where enough files wait for it.
    await this.run({ kind: "merge", mergeFiles: 2, targetFileBytes: 4000 });
    await this.#land();
    await this.#check(this.#open());
    for (const [tag, hash] of this.#tagged) {
      assert.equal(await this.#hash((await this.#open().at(await this.state(), { ref: tag }))!), hash);
    }
    for (const tag of this.#tagged.keys()) {
      for (const path of await this.#table.dropTag(await this.state(), tag)) await this.#storage.delete(path);
    }
    await this.#expire(1);
    await this.#check(this.#open());
  }

  async state(): Promise<PaimonState> {
    return (await this.#table.load())!;
  }

  async #hash(state: PaimonState): Promise<string> {
    const { sql: select } = await this.#table.scan(state);
    const sum = await this.#fixture.connection.value(`SELECT sum(hash(t)::HUGEINT) FROM (${select}) AS t`);
    return String(sum);
  }
}

for (const key of [["id", "part"], []]) {
  const name = key.length > 0 ? "keyed" : "appended";
  Deno.test(`upkeep among random changes keeps every row of a table ${key.length > 0 ? "with" : "without"} a key`, async () => {
    let [runs, landed] = [0, 0];
    await withDatabase(async (fixture) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30, size: "max" }), async (steps) => {
          const partitionBy = ++runs % 2 === 0 ? ["part"] : [];
          const scene = new Scene(fixture, { name: `${name}_${runs}`, key, partitionBy });
          await scene.create();
          for (const each of steps) await scene.run(each);
          await scene.end();
          landed += scene.landed;
        }),
        { numRuns: 12, endOnFailure: true },
      );
    });
    assert.ok(landed >= runs / 2, `${landed} compactions landed in ${runs} runs`);
  });
}
