/**
 * Our jobs on tables of an Iceberg REST catalog of another maker, with an object store of another maker below it: pyiceberg makes,
 * reads and changes the tables too, and every row is the source's in the end. `WEIR_TEST_CATALOG=nessie` takes Nessie, which is
 * too large a download for every run of the suite.
 */
import assert from "node:assert/strict";
import type pg from "pg";
import type { MaintenanceOutcome } from "../../jobs/wiring/maintenance_outcome.ts";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";
import { objectLocation } from "../../lib/storage/s3/location.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { JobProcess } from "../crash/job_process.ts";
import { type CapturedTable, captureIntoLake } from "./captured_lake.ts";
import type { CatalogReport } from "./catalog_model.ts";
import { catalogEnvironment, catalogFlags, type CatalogPeer, pyicebergProperties } from "./catalog_peer.ts";
import { sameAsSource } from "./lake_reading.ts";
import type { Python } from "./python.ts";
import { pythonTest } from "./python_env.ts";
import { nessie } from "./nessie.ts";
import { clientOf, seaweedfsCatalog } from "./seaweedfs_catalog.ts";

const holders = 400;

const made = `
  CREATE SCHEMA bank;
  CREATE TABLE bank.holders (id bigint PRIMARY KEY, name text, seen timestamptz);
  CREATE TABLE bank.orders (id bigint PRIMARY KEY, note text, amount numeric(12,2), at timestamp);
  INSERT INTO bank.holders SELECT n, 'holder ' || n, TIMESTAMPTZ '2026-01-01 00:00Z' + n * INTERVAL '1 hour'
    FROM generate_series(1, ${holders}) AS n;
  INSERT INTO bank.orders SELECT n, 'order ' || n, n * 1.37, TIMESTAMP '2026-01-01' + n * INTERVAL '1 minute'
    FROM generate_series(1, 400) AS n`;

/** What pyiceberg appends; the source never has it. */
const appended = [9000, 9001].map((id) => ({ id, name: `theirs ${id}`, seen: "2026-02-01T00:00:00+00:00" }));

/** They bring back the rows that pyiceberg deleted. */
const afterPyiceberg = [
  "UPDATE bank.holders SET name = 'back again' WHERE id < 10",
  "ALTER TABLE bank.orders ADD COLUMN paid boolean",
  "UPDATE bank.orders SET paid = id % 2 = 0 WHERE id % 3 = 0",
  "DELETE FROM bank.orders WHERE id % 10 = 0",
];

interface Surroundings {
  readonly peer: CatalogPeer;
  readonly python: Python;
  readonly source: PostgresConnection;
  readonly client: pg.Client;
  readonly url: string;
  readonly fixture: DatabaseFixture;
  readonly test: Deno.TestContext;
}

/** Waits until all is in the lake, and has pyiceberg compare it under a stage's name, if there is one. */
type CaughtUp = (stage?: string) => Promise<void>;

class CatalogScene {
  readonly #of: Surroundings;

  constructor(of: Surroundings) {
    this.#of = of;
  }

  async pyiceberg<T = string>(operation: string, table: string, ...args: readonly string[]): Promise<T> {
    const { peer, python } = this.#of;
    return await python.run({
      script: "iceberg_catalog.py",
      args: [pyicebergProperties(peer), operation, table, ...args],
    });
  }

  /** Captures until all is in the lake that was done meanwhile, and has pyiceberg compare it. */
  async capture(stage: string, work: (caughtUp: CaughtUp) => Promise<void>): Promise<void> {
    const { peer, url } = this.#of;
    const flags = { formats: "iceberg", upkeep: "off", "batch-seconds": "0.1", ...catalogFlags(peer) };
    const { lake, icebergVersion } = peer;
    const tables = await captureIntoLake(
      { url, lake, icebergVersion, tables: { tables: ["bank.*"] }, flags },
      (catchUp) =>
        work(async (check) => {
          const caughtUp = await catchUp();
          if (check !== undefined) await this.#check(caughtUp, check);
        }),
    );
    await this.#check(tables, stage);
  }

  /** What pyiceberg says of a table that it reads into a file. */
  async read(table: string): Promise<CatalogReport> {
    return await this.pyiceberg("read", table, this.#output);
  }

  get #output(): string {
    return `${this.#of.fixture.folder}/read.parquet`;
  }

  async #check(tables: readonly CapturedTable[], stage: string): Promise<void> {
    const { fixture, source, test } = this.#of;
    assert.equal(tables.length, 2);
    for (const table of tables) {
      const name = `bank.${table.definition.name}`;
      const { rows } = await this.read(name);
      await test.step(`${stage}: pyiceberg reads ${rows} rows of ${name}`, async () => {
        await sameAsSource({ source, table, fixture, scan: `SELECT * FROM read_parquet('${this.#output}')`, rows });
      });
    }
  }

  /** Puts a file beside those of a table, as somebody who owns its bucket, and gives what asks for it. */
  async plant(table: string): Promise<() => Promise<boolean>> {
    const { bucket, prefix } = objectLocation((await this.read(table)).location)!;
    const client = clientOf(this.#of.peer.tables, bucket);
    const key = `${prefix}/data/${crypto.randomUUID()}.parquet`;
    await client.send({ method: "PUT", key, body: new Uint8Array(3) }, () => {});
    return () => client.send({ method: "HEAD", key, answers: [404] }, ({ ok }) => ok);
  }

  async maintain(): Promise<MaintenanceOutcome> {
    const { peer, fixture: { folder } } = this.#of;
    const limits = { "merge-files": "2", "keep-hours": "0.00001", "keep-snapshots": "1", "orphan-days": "0" };
    const flags = { lake: peer.lake, formats: "iceberg", ...limits, ...catalogFlags(peer) };
    const { output, log } = await new JobProcess({
      script: new URL("../../jobs/maintain.ts", import.meta.url),
      args: ["--json", "--remove-orphans", ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])],
      folder,
      environment: catalogEnvironment(peer),
    }).ended;
    assert.ok(output !== "", log);
    return JSON.parse(output) as MaintenanceOutcome;
  }

  async change(statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.#of.client.query(statement);
  }
}

const kind = Deno.env.get("WEIR_TEST_CATALOG") === "nessie" ? nessie : seaweedfsCatalog;
const reason = await kind.missing();

if (reason !== undefined) {
  Deno.test({ name: `a catalog and a store of other makers (skipped: ${reason})`, ignore: true, fn: () => {} });
} else {
  await pythonTest(
    `tables in ${kind.name}: made by both, written by both, kept up by us`,
    (python, test) =>
      withPostgres(({ url, client }) =>
        withDatabase(async (fixture) => {
          await using peer = await kind.start();
          using _environment = within(catalogEnvironment(peer));
          const source = await PostgresConnection.open(url);
          await using _source = { [Symbol.asyncDispose]: () => source.close() };
          const scene = new CatalogScene({ peer, python, source, client, url, fixture, test });
          await scene.change([made]);
          await scene.pyiceberg("create", "bank.holders");
          await scene.capture("after changes by both", async (caughtUp) => {
            await caughtUp("after the initial copy");
            await scene.pyiceberg("append", "bank.holders", JSON.stringify(appended));
            await scene.pyiceberg("delete", "bank.holders", "id < 10");
            for (const statement of afterPyiceberg) {
              await scene.change([statement]);
              await new Promise((resolve) => setTimeout(resolve, 150));
            }
            await caughtUp();
            assert.equal((await scene.read("bank.holders")).rows, holders + appended.length);
            await scene.pyiceberg("delete", "bank.holders", "id >= 9000");
          });
          const isPlanted = await scene.plant("bank.orders");
          const { ok, tables } = await scene.maintain();
          assert.ok(ok, JSON.stringify(tables));
          assert.deepEqual(tables.map(({ table }) => table), ["bank.holders", "bank.orders"]);
          const isOurs = !peer.keepsThePast;
          for (const { table, work } of tables) {
            const { merges, expiredSnapshots, removedFiles, removedOrphans } = work!;
            assert.ok(merges > 0);
            assert.deepEqual([expiredSnapshots > 0, removedFiles > 0], [isOurs, isOurs], JSON.stringify(work));
            assert.equal(removedOrphans, isOurs && table === "bank.orders" ? 1 : 0);
          }
          assert.equal(await isPlanted(), peer.keepsThePast);
          await scene.capture(
            "after maintenance",
            () => scene.change(["UPDATE bank.orders SET note = 'x' WHERE id % 7 = 0"]),
          );
        })
      ),
  );
}

/** Sets variables of the environment until it is disposed. */
function within(variables: Readonly<Record<string, string>>): Disposable {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  return { [Symbol.dispose]: () => Object.keys(variables).forEach((name) => Deno.env.delete(name)) };
}
