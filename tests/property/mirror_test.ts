/** Random changes, schema changes, merges, expiries, failures and restarts: mirrors hold what their table held when they last followed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type ColumnType, types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { SchemaChange } from "../../lib/dataset/schema_change.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { armFailPoints } from "../../lib/fail_point.ts";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import { mirrorFailPoints } from "../../lib/table/mirror/fail_points.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { MirrorModel } from "../interop/mirror_model.ts";
import { eagerPolicy, mergeOnce } from "../interop/upkeep_steps.ts";

/** Of each kind of table; each takes some seconds. */
const runs = 5;

const definition: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "seen", type: types.timestamptz, nullable: true },
    { name: "amount", type: types.int32, nullable: true },
    { name: "name", type: types.string, nullable: true },
  ],
};

/** Points of a mirror's own commits, whichever format they are of. */
const points = [
  ...mirrorFailPoints.slice(1),
  "delta.beforeCommit",
  "delta.afterCommit",
  "delta.beforeCheckpoint",
  "paimon.afterSchema",
  "paimon.afterManifests",
  "paimon.beforeCommit",
  "paimon.afterCommit",
  "paimon.afterHints",
];

const range = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 7 }))
  .map(([start, count, step]) => `range(${start}, ${start + count}, ${step})`);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("change" as const), upserts: range, removals: range }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), removals: range }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), upserts: range }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("evolve" as const), which: fc.nat(4), upserts: range }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("merge" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("expire" as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("follow" as const), isRestarted: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("fail" as const), point: fc.constantFrom(...points) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Scene {
  readonly fixture: DatabaseFixture;
  readonly model: MirrorModel;
  /** What the mirrors showed last. */
  readonly shown = "shown_rows";
  failed = 0;
  expired = 0;
  #isShown = false;
  #columns: MirrorModel["definition"]["columns"] = [];

  constructor(fixture: DatabaseFixture, formatVersion: 2 | 3, isPartitioned: boolean) {
    this.fixture = fixture;
    const shaped = { ...definition, ...(isPartitioned ? { partitionBy: ["amount"], partitionByDay: "seen" } : {}) };
    this.model = new MirrorModel(fixture, { definition: shaped, formatVersion, keepMs: 0 });
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "change":
        await this.model.apply({ upserts: this.#rows(step.upserts), removals: keys(step.removals) });
        break;
      case "remove":
        await this.model.apply({ removals: keys(step.removals) });
        break;
      case "truncate":
        await this.model.apply({ truncate: true, upserts: this.#rows(step.upserts) });
        break;
      case "evolve":
        await this.#evolve(step.which, step.upserts);
        break;
      case "merge":
        await mergeOnce(this.model.scene);
        // The model's own writer sees the merge.
        await this.model.apply({});
        break;
      case "expire":
        await this.#expire();
        break;
      case "follow":
        if (step.isRestarted) this.model.reopened();
        await this.follow();
        break;
      case "fail":
        await this.#failAt(step.point);
    }
    await this.agree();
  }

  async follow(): Promise<void> {
    await this.model.followed();
    await this.model.scansAgree();
    await this.fixture.connection.run(`CREATE OR REPLACE TABLE ${this.shown} AS ${this.model.rows}`);
    this.#isShown = true;
    this.#columns = this.model.definition.columns;
  }

  /** Whatever happened to the table since: the mirrors still show what they showed. */
  async agree(): Promise<void> {
    if (!this.#isShown) return;
    const names = this.#columns.map(({ name }) => identifier(name)).join(", ");
    for (const [format, table] of Object.entries(this.model.tables())) {
      const found = `SELECT ${names} FROM (${(await table.scan((await table.load())!)).sql})`;
      const [{ missing, extra }] = await this.fixture.connection.rows(
        `SELECT (SELECT count(*) FROM (SELECT ${names} FROM ${this.shown} EXCEPT ALL ${found})) AS missing,
                (SELECT count(*) FROM (${found} EXCEPT ALL SELECT ${names} FROM ${this.shown})) AS extra`,
      ) as [{ missing: bigint; extra: bigint }];
      assert.deepEqual({ missing, extra }, { missing: 0n, extra: 0n }, `${format} shows what it showed`);
    }
  }

  /** A turn that fails at a point leaves either what was shown, or what is to be shown; the next one ends it. */
  async #failAt(point: string): Promise<void> {
    let isHit = false;
    armFailPoints((name) => {
      if (isHit || name !== point) return;
      isHit = true;
      throw new Error(`failed at ${name}`);
    });
    try {
      this.model.mirror.follow((await this.model.table.load())!);
      await this.model.mirror.settled();
    } finally {
      armFailPoints(undefined);
    }
    this.failed += Number(isHit);
    this.model.trouble.length = 0;
    this.model.reopened();
    await this.follow();
  }

  async #expire(): Promise<void> {
    const { storage, table, mirror } = this.model;
    const connection = await this.fixture.database.connect();
    try {
      const worker = new UpkeepWorker(connection);
      const upkeep = new TableUpkeep({ table, storage, policy: eagerPolicy, worker, mirrors: mirror });
      this.expired += (await upkeep.expire()).snapshots;
    } finally {
      connection.close();
    }
  }

  async #evolve(which: number, range: string): Promise<void> {
    const { columns } = this.model.definition;
    const named = (name: string) => columns.find((column) => column.name === name);
    const changes: readonly SchemaChange[] = [
      named("name") === undefined
        ? { kind: "renameColumn", from: "label", to: "name" } as const
        : { kind: "renameColumn", from: "name", to: "label" } as const,
      named("extra") === undefined
        ? { kind: "addColumn", column: { name: "extra", type: types.string, nullable: true } } as const
        : { kind: "dropColumn", name: "extra" } as const,
      named("Amount 2") === undefined
        ? { kind: "addColumn", column: { name: "Amount 2", type: types.int64, nullable: true } } as const
        : { kind: "dropColumn", name: "Amount 2" } as const,
      { kind: "widenColumn", name: "amount", type: types.int64 },
    ];
    const wanted = which === 4 ? [changes[0]!, changes[1]!] : [changes[which]!];
    await this.model.apply({ schemaChanges: wanted, upserts: this.#rows(range, wanted) });
  }

  /** A row for each number, in the columns as they are after changes. */
  #rows(range: string, changes: readonly SchemaChange[] = []): string {
    let columns = this.model.definition.columns;
    for (const step of changes) columns = evolved(columns, step);
    const values = columns.map(({ name, type }) => `${valueOf(name, type)} AS ${identifier(name)}`);
    return `SELECT ${values.join(", ")} FROM ${range}`;
  }
}

function keys(range: string): string {
  return `SELECT range AS id FROM ${range}`;
}

function valueOf(name: string, type: ColumnType): string {
  if (name === "id") return "range";
  if (type.kind === "timestamptz") return "TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_days((range % 3)::INTEGER)";
  return type.kind === "string"
    ? "gen_random_uuid()::VARCHAR"
    : "CASE WHEN range % 5 > 0 THEN (range % 2 * 7)::INTEGER END";
}

type Columns = TableDefinition["columns"];

function evolved(columns: Columns, step: SchemaChange): Columns {
  switch (step.kind) {
    case "addColumn":
      return [...columns, step.column];
    case "dropColumn":
      return columns.filter(({ name }) => name !== step.name);
    case "renameColumn":
      return columns.map((column) => column.name === step.from ? { ...column, name: step.to } : column);
    case "widenColumn":
      return columns.map((column) => column.name === step.name ? { ...column, type: step.type } : column);
  }
}

for (const [formatVersion, isPartitioned] of [[2, false], [3, false], [3, true]] as const) {
  Deno.test(`v${formatVersion}${isPartitioned ? " partitioned by a value and by day" : ""}: mirrors show whole snapshots whatever happens to their table`, async () => {
    let [failed, expired] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 20 }), async (steps) => {
        await withDatabase(async (fixture) => {
          const scene = new Scene(fixture, formatVersion, isPartitioned);
          await scene.model.create();
          for (const each of steps) await scene.take(each);
          await scene.follow();
          failed += scene.failed;
          expired += scene.expired;
        });
      }),
      { seed: 5, numRuns: runs, endOnFailure: true },
    );
    assert.ok(failed > 0 && expired > 0, `${failed} failures, ${expired} snapshots expired`);
  });
}
