/** What the crash tests play in: a server with payments in it, an empty lake, and a job that is run to its end. */
import assert from "node:assert/strict";
import type pg from "pg";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertExact, CrashChild } from "./crash_child.ts";

/** What a test gets. */
export interface Scene {
  readonly url: string;
  readonly client: pg.Client;
  readonly writer: PaymentsWriter;
  readonly folder: string;
  readonly lake: string;
  /** Formats to write. Default: the job's own. */
  readonly formats?: string;
  /** Settings of the job over those of the tests, by flag. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Ends the server as a power cut would. */
  killServer(): Promise<void>;
  restartServer(): Promise<void>;
}

/** Lake tables of the main job. */
const tablesPerFormat = 3;

/** A server with some holders and payments, and an empty lake. */
export async function withScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  await withTemporaryFolder((folder) =>
    withPostgres(async ({ url, client, server }) => {
      await using writer = await PaymentsWriter.open({ url });
      await writer.load({ holders: 100, payments: 300 });
      const lake = `${folder}/lake`;
      const [killServer, restartServer] = [() => server.kill(), () => server.restart()];
      await body({ url, client, writer, folder, lake, killServer, restartServer });
    })
  );
}

/**
 * Rows of every kind: payments, changed, deleted and moved holders, a new column, and values the lake cannot hold, the last of
 * them in a batch that comes after a table commit.
 */
export async function changeEverything({ writer, client }: Scene, round: number): Promise<void> {
  const refused = "UPDATE transactions SET settlementdate = 'infinity' WHERE _id = (SELECT max(_id) FROM transactions)";
  await writer.stream({ payments: 100, churnShare: 0.3 });
  await client.query(refused);
  await client.query(`ALTER TABLE accountholders ADD COLUMN added_${round} integer`);
  await writer.stream({ payments: 200, churnShare: 0.3 });
  await client.query(refused);
}

/** Runs that are killed, each going on from what the one before left, before one that comes to its end. */
const killsInARow = 5;

/**
 * Changes everything and kills the job at a point, for each point; after some of them, and in the end, the job runs to its end and
 * everything is held against the source. What a kill lost, doubled or altered is still so some kills later.
 */
export async function killAtEach(
  scene: Scene,
  { points, test, atOnce = () => false, check = () => runToEnd(scene) }: {
    readonly points: readonly string[];
    readonly test: Deno.TestContext;
    /** Points that come before any table commit. */
    readonly atOnce?: (point: string) => boolean;
    /** Default: {@linkcode runToEnd}. */
    readonly check?: () => Promise<void>;
  },
): Promise<void> {
  const { url, lake, folder, formats, flags = {} } = scene;
  let kills: string[] = [];
  for (const [round, point] of points.entries()) {
    await changeEverything(scene, round);
    const plan = { url, lake, flags, point, atOnce: atOnce(point), ...(formats === undefined ? {} : { formats }) };
    const hits = await new CrashChild(plan, folder).killed();
    kills.push(`${point} at hit ${hits.get(point)}`);
    if (kills.length < killsInARow && round < points.length - 1) continue;
    await test.step(`killed at ${kills.join(", then ")}`, check);
    kills = [];
  }
}

/** Runs the job until everything is in the lake, and holds that against the source. */
export async function runToEnd({ url, lake, folder, formats, flags = {} }: Scene): Promise<void> {
  const plan = { url, lake, flags, ...(formats === undefined ? {} : { formats }) };
  assertExact(await new CrashChild(plan, folder).report(), tablesPerFormat * (formats?.split(",").length ?? 2));
}

/** Waits until the job reads its slot. */
export async function untilCapturing(client: pg.Client): Promise<void> {
  const startMs = performance.now();
  for (let isActive = false; !isActive;) {
    assert.ok(performance.now() - startMs < 60_000, "nobody reads the slot");
    // The one that makes a slot holds it for a moment too, but is no walsender.
    const { rows } = await client.query(
      "SELECT 1 FROM pg_replication_slots JOIN pg_stat_replication ON pid = active_pid WHERE NOT temporary",
    );
    isActive = rows.length > 0;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Drops every slot that nobody reads. */
export async function dropSlots(client: pg.Client): Promise<void> {
  await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active");
}
