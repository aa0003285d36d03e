/**
 * Our jobs on tables of an Iceberg REST catalog of another maker, with an object store of another maker below it: pyiceberg makes,
 * reads and changes the tables too, and every row is the source's in the end. `WEIR_TEST_CATALOG=nessie` takes Nessie, which is
 * too large a download for every run of the suite.
 */
import assert from "node:assert/strict";
import type pg from "pg";
import type { MaintenanceOutcome } from "../../jobs/wiring/maintenance_outcome.ts";
import type { VerificationOutcome } from "../../jobs/wiring/verification_outcome.ts";
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
import { readers } from "./readers.ts";
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

/** Of tables and mirrors without a past, in hours. */
const forgetful = "0.00001";

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
    const flags = {
      ...{ formats: "iceberg", upkeep: "off", "batch-seconds": "0.1", "keep-hours": forgetful },
      ...this.isMirrored ? { mirror: "delta,paimon" } : {},
      ...catalogFlags(peer),
    };
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

  /** Who keeps the past of tables himself may remove files that mirrors show. */
  get isMirrored(): boolean {
    return !this.#of.peer.keepsThePast;
  }

  /** Whoever reads a mirror reaches the lake and the catalog's bucket; the jobs are given keys to that table by table. */
  async readMirror(reader: "deltalake" | "pypaimon", table: string): Promise<number> {
    const { peer, python } = this.#of;
    using _keys = within(catalogEnvironment({ ...peer, store: peer.tables }));
    return (await readers[reader]({ python, lake: peer.lake, table, output: this.#output })).rows;
  }

  get #output(): string {
    return `${this.#of.fixture.folder}/read.parquet`;
  }

  async #check(tables: readonly CapturedTable[], stage: string): Promise<void> {
    const { fixture, source, test } = this.#of;
    assert.equal(tables.length, 2);
    const scan = `SELECT * FROM read_parquet('${this.#output}')`;
    for (const table of tables) {
      const name = `bank.${table.definition.name}`;
      const { rows } = await this.read(name);
      await test.step(`${stage}: pyiceberg reads ${rows} rows of ${name}`, async () => {
        await sameAsSource({ source, table, fixture, scan, rows });
      });
      if (!this.isMirrored) continue;
      await test.step(`${stage}: pypaimon reads them in a mirror`, async () => {
        assert.equal(await this.readMirror("pypaimon", name), rows);
        await sameAsSource({ source, table, fixture, scan, rows });
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
    const limits = { "merge-files": "2", "keep-hours": forgetful, "keep-snapshots": "1", "orphan-days": "0" };
    const formats = this.isMirrored ? "iceberg,paimon,delta" : "iceberg";
    return await this.#job("maintain", { formats, ...limits }, "--remove-orphans");
  }

  /** Our own reading of mirrors alone. */
  async verifyMirrors(): Promise<VerificationOutcome> {
    const { rows: [slot] } = await this.#of.client.query("SELECT slot_name FROM pg_replication_slots");
    return await this.#job("verify", { formats: "delta,paimon", slot: slot.slot_name });
  }

  async #job<Outcome>(name: string, flags: Readonly<Record<string, string>>, ...more: string[]): Promise<Outcome> {
    const { peer, url, fixture: { folder } } = this.#of;
    const all = Object.entries({ lake: peer.lake, ...flags, ...catalogFlags(peer) });
    const { output, log } = await new JobProcess({
      script: new URL(`../../jobs/${name}.ts`, import.meta.url),
      args: ["--json", ...more, ...all.flatMap(([flag, value]) => [`--${flag}`, value])],
      folder,
      environment: { ...catalogEnvironment(peer), POSTGRES_URL: url },
    }).ended;
    assert.ok(output !== "", log);
    return JSON.parse(output) as Outcome;
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
          const written = tables.filter(({ format }) => format === "iceberg");
          assert.deepEqual(written.map(({ table }) => table), ["bank.holders", "bank.orders"]);
          const isOurs = !peer.keepsThePast;
          for (const { table, work } of written) {
            const { merges, expiredSnapshots, removedFiles, removedOrphans } = work!;
            assert.ok(merges > 0);
            assert.deepEqual([expiredSnapshots > 0, removedFiles > 0], [isOurs, isOurs], JSON.stringify(work));
            assert.equal(removedOrphans, isOurs && table === "bank.orders" ? 1 : 0);
          }
          assert.equal(await isPlanted(), peer.keepsThePast);
          if (scene.isMirrored) {
            const found = await scene.verifyMirrors();
            assert.deepEqual([found.ok, found.tables.length], [true, 4], JSON.stringify(found.tables));
            // It looks for files in the mirror's own bucket alone.
            await assert.rejects(scene.readMirror("deltalake", "bank.orders"), /No suitable object store/);
          }
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
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]: () => {
      for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    },
  };
}
