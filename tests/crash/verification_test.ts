/** The checker checked: it finds what was planted in each real format, and nothing where rows only flow. */
import assert from "node:assert/strict";
import type { CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { captureOutcome, outcomeText } from "../../jobs/wiring/outcome.ts";
import type { VerifiedTable } from "../../jobs/wiring/verification.ts";
import type { Relation } from "../../lib/change/relation.ts";
import type { Sink } from "../../lib/change/sink.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { declaredDefinition } from "../../lib/pipeline/plan.ts";
import { openCapture } from "./capture.ts";
import { withScene } from "./scene.ts";

const runMs = 10_000;
const rate = 1000;

Deno.test(`verification again and again beside ${rate} rows/s of inserts, updates and deletes finds nothing`, async () => {
  await withScene(async ({ url, lake, writer }) => {
    await using run = await openCapture(url, { lake });
    const before = writer.counts;
    let verifications = 0;
    await run.during(async () => {
      const stop = new AbortController();
      const writing = writer.stream({ rate, churnShare: 0.3, signal: stop.signal });
      for (const startMs = performance.now(); performance.now() - startMs < runMs; verifications++) {
        assertNothing(await run.verify());
      }
      stop.abort();
      await writing;
    });
    const after = writer.counts;
    const changed = (["holders", "paymentRows", "updated", "deleted", "keyChanged"] as const).map((kind) =>
      after[kind] - before[kind]
    );
    assert.ok(changed.every((count) => count > 0), JSON.stringify(after));
    const rows = changed.reduce((sum, count) => sum + count, 0);
    assert.ok(rows >= 0.9 * rate * runMs / 1000, `only ${rows} rows in ${runMs} ms`);
    assert.ok(verifications >= 2, `only ${verifications} verifications`);
  });
});

const leaving = [
  ["ALTER TABLE accountholders RENAME COLUMN accounts TO instruments", ["account_holders", "accounts", "transactions"]],
  ["ALTER TABLE accountholders DROP COLUMN accounts", ["account_holders", "transactions"]],
] as const;

for (const [statement, compared] of leaving) {
  Deno.test(`what comes out of a document is compared as far as the source has it: ${statement}`, async () => {
    await withScene(async ({ url, lake, writer, client }) => {
      await using run = await openCapture(url, { lake, formats: "iceberg" });
      const verified = await run.during(async () => {
        await writer.stream({ payments: 100, churnShare: 0.3 });
        await client.query(statement);
        return await run.verify();
      });
      for (const error of run.pipeline.failures.values()) throw error;
      assert.deepEqual(verified.map(({ table }) => table).toSorted(), compared.map((name) => `payments.${name}`));
      assertNothing(verified);
    });
  });
}

/** As many of each as no other column of the report can show by mistake. */
const planted = { missing: 1, extra: 2, different: 3 };

for (const [formats, version] of [["iceberg,paimon", "3"], ["iceberg", "2"], ["iceberg,delta", "3"]] as const) {
  Deno.test(`missing, extra and changed rows planted in ${formats} (Iceberg v${version}) are found and named`, async () => {
    await withScene(async ({ url, lake, writer }) => {
      const flags = { lake, formats, "iceberg-version": version };
      {
        await using run = await openCapture(url, flags);
        await run.during(() => writer.stream({ payments: 100, churnShare: 0.3 }));
      }
      {
        await using run = await openCapture(url, flags);
        for (const { sink, definition } of sinksOf(run, "transactions")) await plant(run, { sink, definition });
      }
      const startedMs = performance.now();
      await using run = await openCapture(url, flags);
      const verified = await run.during(() => run.verify());
      for (const table of verified.filter(({ table }) => table !== "payments.transactions")) assertNothing([table]);
      const found = verified.filter(({ table }) => table === "payments.transactions");
      assert.deepEqual(found.map(({ format }) => format), formats.split(","));
      for (const { mismatches, missing, extra, different } of found) {
        assert.deepEqual({ missing, extra, different }, planted);
        const named = mismatches.map(({ kind, key }) => `${kind} ${key["_id"]}`);
        assert.deepEqual(named.toSorted(), [
          "different 2",
          "different 3",
          "different 4",
          "extra -1",
          "extra -2",
          "missing 1",
        ]);
      }
      const outcome = await captureOutcome(run, { verified, startedMs });
      assert.equal(outcome.ok, false);
      assert.match(outcomeText(outcome), /payments\.transactions +iceberg +801 +1 +2 +3\n/);
    });
  });
}

interface SinkOfTable {
  readonly sink: Sink;
  readonly definition: TableDefinition;
}

function sinksOf({ plans }: CaptureRun, name: string): readonly SinkOfTable[] {
  return plans.flatMap(({ dataset, tables }) =>
    tables.map((plan) => ({ plan, definition: declaredDefinition(plan, dataset) }))
  ).filter(({ definition }) => definition.name === name)
    .flatMap(({ plan, definition }) => plan.sinks.map((sink) => ({ sink, definition })));
}

/** Commits through the format's own writer what the source never said: rows 1 to 4 and two that nobody knows. */
async function plant(run: CaptureRun, { sink, definition }: SinkOfTable): Promise<void> {
  const { position } = await sink.status();
  using scan = await sink.scan();
  assert.ok(position !== undefined && scan !== undefined);
  const relation = async (select: string): Promise<Relation> => {
    const name = `planted_${crypto.randomUUID()}`;
    await run.lake.connection.run(`CREATE TABLE ${identifier(name)} AS ${select}`);
    const rows = await run.lake.connection.value(`SELECT count(*) FROM ${identifier(name)}`);
    return { name, definition, rows: Number(rows) };
  };
  const changed =
    `SELECT * REPLACE ('sideways' AS direction), true AS _replaces FROM (${scan.sql}) WHERE _id IN (2, 3, 4)`;
  const extra = `SELECT * REPLACE (-_id AS _id), false AS _replaces FROM (${scan.sql}) WHERE _id IN (1, 2)`;
  await sink.commit({
    definition,
    schemaChanges: [],
    truncate: false,
    upserts: await relation(`${changed} UNION ALL ${extra}`),
    removals: await relation("SELECT 1::BIGINT AS _id"),
    scope: definition.key,
    position,
    commitTimeMs: Date.now(),
  });
}

function assertNothing(verified: readonly VerifiedTable[]): void {
  for (const { format, table, missing, extra, different, rows, mismatches } of verified) {
    assert.ok(rows > 0, `${table} is empty`);
    const told = `${format} ${table} ${JSON.stringify(mismatches)}`;
    assert.deepEqual({ missing, extra, different }, { missing: 0, extra: 0, different: 0 }, told);
  }
}
