import assert from "node:assert/strict";
import type pg from "pg";
import { paymentPickLists } from "../../lib/domain/payments/pick_lists.ts";
import { WeirError } from "../../lib/errors.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { generatePayments, streamPayments } from "../../lib/generate/generate_payments.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";

async function value(client: pg.Client, sql: string): Promise<unknown> {
  const { rows } = await client.query({ text: sql, rowMode: "array" });
  return rows[0]?.[0];
}

Deno.test("a second run goes on behind the stored maximum, and what the tables hold keeps the pair rules", () =>
  withPostgres(async ({ client, url }) => {
    const first = await generatePayments({ url, seed: 5, holders: 300, payments: 500 });
    assert.deepEqual([first.holders, first.paymentRows], [300, 1000]);
    const second = await generatePayments({ url, seed: 5, holders: 100, payments: 300 });
    assert.deepEqual([second.holders, second.paymentRows], [100, 600]);
    assert.equal(
      await value(client, "SELECT array[min(_id), max(_id), count(*)]::text FROM accountholders"),
      "{1,400,400}",
    );
    assert.equal(
      await value(client, "SELECT array[min(_id), max(_id), count(*)]::text FROM transactions"),
      "{1,1600,1600}",
    );
    const broken = await value(
      client,
      `SELECT count(*)::int FROM transactions o FULL JOIN transactions i ON i.transactionid = o.transactionid
         AND i.direction = 'inbound' AND o.direction = 'outbound'
       WHERE (o.direction = 'outbound' OR i.direction = 'inbound') AND (
         o._id IS NULL OR i._id IS NULL OR o.eventid = i.eventid OR o.amount <> i.amount
         OR o.accountholderaccount <> i.counterpartyaccount OR o.counterpartyaccount <> i.accountholderaccount
         OR o.accountholdernationalid = o.counterpartynationalid
         OR (o.amount->>'value')::numeric <> round((o.amount->>'baseValue')::numeric * (o.amount->>'roe')::numeric, 2))`,
    );
    assert.equal(broken, 0);
    assert.equal(await value(client, "SELECT count(DISTINCT eventid)::int FROM transactions"), 1600);
    assert.ok((await value(client, "SELECT count(DISTINCT eventtime::date)::int FROM transactions") as number) >= 7);
    const strangers = await value(
      client,
      `SELECT count(*)::int FROM transactions WHERE accountholdernationalid NOT IN (SELECT nationalid FROM accountholders)`,
    );
    assert.equal(strangers, 0);
  }));

Deno.test("churn inserts, updates, deletes and moves keys, and keeps the contract's limits", () =>
  withPostgres(async ({ client, url }) => {
    await generatePayments({ url, seed: 5, holders: 1000, payments: 0 });
    const before = await client.query("SELECT _id, to_jsonb(a) - '_id' AS rest FROM accountholders a");
    const counts = await generatePayments({ url, seed: 5, holders: 0, payments: 0, changes: 2000 });
    for (const count of [counts.holders, counts.updated, counts.deleted, counts.keyChanged]) assert.ok(count >= 100);
    const stored = await value(client, "SELECT count(*)::int FROM accountholders");
    assert.equal(stored, 1000 + counts.holders - counts.deleted);
    const moved = await client.query(
      "SELECT count(*)::int AS moved FROM accountholders WHERE _id > 1000 AND nationalid = ANY($1)",
      [before.rows.map((row) => row.rest.nationalid)],
    );
    assert.ok(moved.rows[0].moved >= 100, "moved holders keep everything but their key");
    const outside = await value(
      client,
      `SELECT count(*)::int FROM accountholders WHERE jsonb_array_length(accounts->'bankAccounts') NOT BETWEEN 1 AND 6
         OR jsonb_array_length(accounts->'creditCards') NOT BETWEEN 1 AND 2 OR children NOT BETWEEN 0 AND 5`,
    );
    assert.equal(outside, 0);
  }));

Deno.test("a stream without a pace changes holders as well: a twentieth as many as payment rows, of every kind", () =>
  withPostgres(async ({ url }) => {
    await using writer = await PaymentsWriter.open({ url });
    await writer.load({ holders: 1000, payments: 0 });
    const counts = await writer.stream({ payments: 5000 });
    const kinds = [counts.holders - 1000, counts.updated, counts.deleted, counts.keyChanged];
    for (const kind of kinds) assert.ok(kind > 0);
    const changed = kinds.reduce((sum, kind) => sum + kind);
    assert.ok(changed > 400 && changed <= 500, `${changed} of 500 wanted changes found a holder`);
  }));

Deno.test("same seed and same stored state lead to the same rows after churn", async () => {
  const clock = () => Date.UTC(2026, 2, 3, 4, 5, 6);
  const digest = () =>
    withPostgres(async ({ client, url }) => {
      await generatePayments({ url, seed: 9, clock, holders: 200, payments: 100, changes: 300 });
      await streamPayments({ url, seed: 9, clock, payments: 200, churnShare: 0.5 });
      return await value(
        client,
        `SELECT md5((SELECT string_agg((to_jsonb(a) - 'created_at')::text, ',' ORDER BY _id) FROM accountholders a)
           || (SELECT string_agg((to_jsonb(t) - 'created_at')::text, ',' ORDER BY _id) FROM transactions t))`,
      );
    });
  assert.equal(await digest(), await digest());
});

/** The whole promise takes a minute; set WEIR_TEST_RATE_SECONDS=60 to see it kept. */
const rateSeconds = Number(Deno.env.get("WEIR_TEST_RATE_SECONDS") ?? 5);

Deno.test("a rate is held within 5 %, with changes beside it", () =>
  withPostgres(async ({ client, url }) => {
    await using writer = await PaymentsWriter.open({ url });
    await writer.load({ holders: 500, payments: 0 });
    let [written, changed, rate] = [0, 0, 0];
    // Other work on the machine may stand still what is paced; a pace that is wrong is so each time.
    for (let attempt = 0; attempt < 3 && Math.abs(rate / 1000 - 1) > 0.05; attempt++) {
      const startMs = performance.now();
      const signal = AbortSignal.timeout(rateSeconds * 1000);
      const counts = await writer.stream({ rate: 1000, churnShare: 0.05, signal });
      rate = (counts.paymentRows - written) / (performance.now() - startMs) * 1000;
      written = counts.paymentRows;
      changed = Math.min(counts.updated, counts.deleted);
    }
    console.log(`      ${rate.toFixed(1)} rows/s over ${rateSeconds} s where 1000 were asked for`);
    assert.ok(Math.abs(rate / 1000 - 1) <= 0.05);
    assert.equal(await value(client, "SELECT count(*)::int FROM transactions"), written);
    assert.ok(changed > 0);
  }));

Deno.test("an aborted run ends early with whole pairs, and says how far it came", () =>
  withPostgres(async ({ client, url }) => {
    const controller = new AbortController();
    await using writer = await PaymentsWriter.open({ url });
    const counts = await writer.load({
      holders: 100,
      payments: 1_000_000,
      signal: controller.signal,
      onProgress: ({ paymentRows }) => paymentRows >= 10_000 && controller.abort(),
    });
    assert.equal(counts.paymentRows, 10_000);
    assert.equal(await value(client, "SELECT count(*)::int FROM transactions"), 10_000);
    const streamed = await writer.stream({ rate: 10, signal: controller.signal });
    assert.equal(streamed.paymentRows, 10_000);
  }));

Deno.test("a second writer is turned away while the first is at work", () =>
  withPostgres(async ({ url }) => {
    await using _first = await PaymentsWriter.open({ url });
    await assert.rejects(PaymentsWriter.open({ url }), (thrown) =>
      thrown instanceof WeirError && thrown.kind === "fenced");
  }));

Deno.test("a table that does not take the rows, and holders that are missing, are reported and leave nothing", () =>
  withPostgres(async ({ client, url }) => {
    await assert.rejects(streamPayments({ url, payments: 1 }), RangeError);
    assert.equal(await value(client, "SELECT count(*)::int FROM transactions"), 0);
    await client.query("ALTER TABLE accountholders ADD CONSTRAINT none CHECK (_id < 3)");
    await assert.rejects(
      generatePayments({ url, holders: 20_000, payments: 0 }),
      (thrown) => thrown instanceof WeirError && !/nationalid|Failing row/.test(thrown.message),
    );
    assert.equal(await value(client, "SELECT count(*)::int FROM accountholders"), 0);
  }));

Deno.test("given lists show in the rows", () =>
  withPostgres(async ({ client, url }) => {
    const lists = paymentPickLists({ eventType: { paymentX: 1 } });
    await generatePayments({ url, holders: 10, payments: 10, lists });
    assert.equal(await value(client, "SELECT string_agg(DISTINCT eventtype, ',') FROM transactions"), "paymentX");
  }));
