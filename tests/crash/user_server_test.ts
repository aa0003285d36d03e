/** What the capture job says to somebody who points it at a server of their own, or forgets to. */
import assert from "node:assert/strict";
import pg from "pg";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertComplete, assertRefused, runJob } from "./real_job.ts";

Deno.test("a run tells its pace without the verification, where dead letters lie, and what its slot keeps; --teardown needs no tables", () =>
  withTemporaryFolder((folder) =>
    withPostgres(async ({ client, url }) => {
      await client.query("CREATE TABLE odd (id int PRIMARY KEY, day date); INSERT INTO odd VALUES (1, 'infinity')");
      const lake = `${folder}/lake`;
      const plan = (
        ...flags: string[]
      ) => ({ job: "capture", url, folder, flags: ["--lake", lake, ...flags] } as const);
      const end = await runJob(plan("--tables", "odd"));
      assertComplete(end, 2);
      const { rows, carriedMs, durationMs, rowsPerSecond, deadLetterFolder } = end.outcome;
      assert.equal(rows, 1);
      assert.ok(carriedMs < durationMs, end.log);
      assert.equal(rowsPerSecond, Math.round(1000 / carriedMs));
      assert.match(end.log, new RegExp(`1 dead letter in ${deadLetterFolder}`));
      assert.deepEqual((await Array.fromAsync(Deno.readDir(deadLetterFolder))).map(({ name }) => name), ["public.odd"]);
      const [, slot] = /slot "(\w+)" makes the source keep its log.*: deno task capture --lake \S+ --teardown/
        .exec(end.log) ?? [];
      assert.match(end.log, /Next:\n {2}deno task capture --tables odd --lake \S+ --follow {3}keeps/);
      const slots = async () => (await client.query("SELECT slot_name FROM pg_replication_slots")).rows;
      assert.deepEqual(await slots(), [{ slot_name: slot }]);
      const mistaken = await runJob(plan("--teardown", "--slot", "other"));
      assert.match(mistaken.log, new RegExp(`there is no slot "other": the database has ${slot};`));
      const gone = await runJob(plan("--teardown"));
      assert.equal(gone.code, 0, gone.log);
      assert.match(gone.log, new RegExp(`dropped slot "${slot}"`));
      assert.deepEqual(await slots(), []);
    }, { settings: { wal_level: "logical" } })
  ));

Deno.test("tables that are not where they are looked for are refused with what the user may have meant", () =>
  withTemporaryFolder((folder) =>
    withPostgres(async ({ client, url }) => {
      await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
      const flags = ["--lake", `${folder}/lake`];
      const tables = [...flags, "--tables", "public.ordres"];
      const misspelt = await runJob({ job: "capture", url, folder, flags: tables });
      assertRefused(misspelt, {
        kind: "precondition",
        says: /no table matches "public.ordres": did you mean public.orders\?/,
      });
      assert.doesNotMatch(misspelt.log, /where:|statements|POSTGRES_URL/);
      assertRefused(await runJob({ job: "capture", folder, flags: tables }), {
        kind: "precondition",
        says: /no table matches.*POSTGRES_URL is not set, so the embedded server was asked/s,
      });
      assertRefused(await runJob({ job: "pipeline", url, folder, flags }), {
        kind: "precondition",
        says: /there is no table public\.accountholders: create it.*add --generate .*or unset POSTGRES_URL/s,
      });
      const nowhere = Object.assign(new URL(url), { pathname: "/shop" }).href;
      assertRefused(await runJob({ job: "capture", url: nowhere, folder, flags: tables }), {
        kind: "configuration",
        says: /database "shop" does not exist.*Correct the database at the end of POSTGRES_URL/,
      });
    }, { settings: { wal_level: "logical" } })
  ));

Deno.test("a lake that was moved is refused, and goes on through a link where it was", () =>
  withTemporaryFolder((folder) =>
    withPostgres(async ({ client, url }) => {
      await client.query("CREATE TABLE odd (id int PRIMARY KEY); INSERT INTO odd VALUES (1), (2)");
      const [lake, moved] = [`${folder}/lake`, `${folder}/moved`];
      const plan = { job: "capture", url, folder, flags: ["--tables", "odd", "--lake"] } as const;
      assertComplete(await runJob({ ...plan, flags: [...plan.flags, lake] }), 2);
      await Deno.rename(lake, moved);
      await client.query("INSERT INTO odd VALUES (3)");
      const refused = await runJob({ ...plan, flags: [...plan.flags, moved] });
      assertRefused(refused, { kind: "tableUnreadable", says: /it was moved .*\/lake\/.* make a link to it there/ });
      // Deno.symlink() wants more permissions than tests have.
      assert.ok((await new Deno.Command("ln", { args: ["-s", moved, lake] }).output()).success);
      const linked = await runJob({ ...plan, flags: [...plan.flags, lake] });
      assertComplete(linked, 2);
      assert.equal(linked.outcome.rows, 1, "nothing is copied again");
    }, { settings: { wal_level: "logical" } })
  ));

Deno.test("--slot names the slot and the publication, where the name without it is another job's", () =>
  withTemporaryFolder((folder) =>
    withPostgres(async ({ client, url }) => {
      await client.query("CREATE TABLE odd (id int PRIMARY KEY); INSERT INTO odd VALUES (1)");
      await client.query("CREATE DATABASE shop");
      const shop = Object.assign(new URL(url), { pathname: "/shop" }).href;
      const other = new pg.Client(shop);
      await other.connect();
      await other.query("CREATE TABLE odd (id int PRIMARY KEY); INSERT INTO odd VALUES (4)").finally(() => other.end());
      const plan = (lake: string, ...flags: string[]) =>
        ({ job: "capture", url, folder, flags: ["--lake", lake, "--tables", "odd", ...flags] }) as const;
      const [here, there] = [`${folder}/here`, `${folder}/there`];
      assertComplete(await runJob(plan(here)), 2);
      const { rows: [{ slot_name: slot }] } = await client.query("SELECT slot_name FROM pg_replication_slots");
      const taken = await runJob({ ...plan(there, "--slot", slot), url: shop });
      assertRefused(taken, { kind: "sourceMismatch", says: /Set POSTGRES_URL to that database, or .* with --slot/ });
      const named = await runJob({ ...plan(there, "--slot", "shop_slot"), url: shop });
      assertComplete(named, 2);
      assert.match(named.log, /deno task capture --lake \S+ --slot shop_slot --teardown/);
      assertRefused(await runJob({ ...plan(there), url: shop }), {
        kind: "sourceLost",
        says: /is gone.*through another slot, name that one with --slot/,
      });
      const misspelt = await runJob(plan(here, "--slot", "Shop-Slot"));
      assertRefused(misspelt, {
        kind: "configuration",
        says: /--slot "Shop-Slot" cannot be used.*a to z, 0 to 9 and _/,
      });
    }, { settings: { wal_level: "logical" } })
  ));
