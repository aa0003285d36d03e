/** The main job onto an object store of another maker: killed, restarted and held against the source, over a bad network. */
import assert from "node:assert/strict";
import { openLake } from "../../lib/mod.ts";
import { FaultyObjectProxy, type RequestFault } from "../../lib/testing/faulty_object_proxy.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { lakeIn, type ObjectServer, objectStoreTests, pointAt } from "../interop/object_server.ts";
import { storageOf } from "../interop/object_storage.ts";
import type { MaintenanceOutcome } from "../../jobs/wiring/maintenance_outcome.ts";
import type { VerificationOutcome } from "../../jobs/wiring/verification_outcome.ts";
import { CrashChild } from "./crash_child.ts";
import { JobProcess } from "./job_process.ts";
import { newestVersions } from "./lake_files.ts";
import { assertComplete, endOf, runJob, startJob } from "./real_job.ts";
import { killAtEach, runToEnd, withScene } from "./scene.ts";

/** One request in ten goes wrong: with the waits of a real job a quarter of them would take minutes. */
async function badNetwork({ endpoint }: ObjectServer): Promise<FaultyObjectProxy> {
  const kinds: readonly RequestFault[] = ["denied", "busy", "lost", "cut", "half"];
  let requests = 0;
  return await FaultyObjectProxy.start(
    endpoint,
    () => ++requests % 10 === 0 ? kinds[requests / 10 % kinds.length] : undefined,
  );
}

/** The steps around the puts that decide. The others leave files behind, which a local lake shows as well. */
const points = [
  "iceberg.beforeCommit",
  "iceberg.afterCommit",
  "paimon.beforeCommit",
  "paimon.afterCommit",
  "delta.beforeCommit",
  "delta.afterCommit",
];
const formats = "iceberg,paimon,delta";

/** Another job on the lake, beside or after the one that fills it. */
async function runOther<Outcome>(name: "verify" | "maintain", folder: string, flags: readonly string[]) {
  const script = new URL(`../../jobs/${name}.ts`, import.meta.url);
  const { output, log } = await new JobProcess({ script, args: ["--json", ...flags], folder }).ended;
  assert.notEqual(output, "", log);
  return { outcome: JSON.parse(output) as Outcome, log };
}

/** The verification by a process of its own, which writes nothing into the bucket. Mirrors are held against the source too. */
async function verifyBeside(lake: string, folder: string): Promise<void> {
  const flags = ["--lake", lake, "--formats", formats];
  const { outcome: { ok, tables }, log } = await runOther<VerificationOutcome>("verify", folder, flags);
  assert.deepEqual([ok, tables.length], [true, 9], log);
  for (const { missing, extra, different, rows } of tables) {
    assert.deepEqual([missing, extra, different, rows > 0], [0, 0, 0, true], log);
  }
}

/** Notebooks and the prompt find the bucket by its name alone, and as many rows in each format. */
async function explore(lake: string, folder: string): Promise<void> {
  await using opened = await openLake({ lake });
  const counts = await opened.sql`
    SELECT (SELECT count(*) FROM iceberg_payments.transactions) AS iceberg, count(*) AS delta
    FROM delta_payments.transactions`;
  const [{ iceberg, delta } = {}] = await counts.rows();
  const script = new URL("../../jobs/sql.ts", import.meta.url);
  const statement = "SELECT count(*) FROM paimon_payments.transactions";
  const job = new JobProcess({ script, args: ["--lake", lake, "--output", "csv", statement], folder });
  const { output, log } = await job.ended;
  assert.equal(iceberg, delta);
  assert.equal(output.trim().split(/\r?\n/)[1], String(iceberg), log);
}

/** Of tables and mirrors without a past. */
const forgetful = ["--keep-hours", "0.00001", "--upkeep", "off"];

/** Takes away all that may go. What tables or mirrors show stays: see who looks next. */
async function maintainWhole(lake: string, folder: string): Promise<void> {
  const limits = ["--keep-hours", "0.00001", "--keep-snapshots", "1", "--merge-files", "2", "--orphan-days", "0"];
  const flags = ["--lake", lake, "--formats", formats, ...limits, "--remove-orphans"];
  const { outcome: { ok, tables }, log } = await runOther<MaintenanceOutcome>("maintain", folder, flags);
  assert.deepEqual([ok, tables.length], [true, 9], log);
  for (const { format, table, work } of tables) {
    assert.ok(format !== "iceberg" || work!.removedFiles > 0, `${table}: ${JSON.stringify(work)}`);
  }
}

await objectStoreTests("the main job onto an object store", (withServer) => {
  Deno.test("killed at the puts that decide, over a bad network, a restart leaves every row once in the bucket", (test) =>
    withServer((server) =>
      withScene(async (scene) => {
        await using proxy = await badNetwork(server);
        using _environment = pointAt({ ...server, endpoint: proxy.endpoint });
        const inBucket = { ...scene, lake: lakeIn(server), formats };
        await runToEnd(inBucket);
        await killAtEach(inBucket, { points, test });
        for (const fault of ["denied", "busy", "lost", "cut", "half"] as const) {
          assert.ok((proxy.happened.get(fault) ?? 0) > 0, `${fault} never happened`);
        }
      })
    ));

  Deno.test("deno task pipeline onto a bucket, mirrors too: killed while rows flow, run again, maintained and verified", () =>
    withServer((server) =>
      withTemporaryFolder(async (folder) => {
        using _environment = pointAt(server);
        // The embedded server runs as another user where the tests run as root.
        await Deno.chmod(folder, 0o755);
        const flags = ["--lake", lakeIn(server), "--formats", "iceberg", "--mirror", "delta,paimon"];
        const more = ["--holders", "100", "--payments", "3000", "--batch-seconds", "0.1", ...forgetful];
        const plan = { job: "pipeline", folder, flags: [...flags, ...more] } as const;
        const job = startJob(plan);
        const store = storageOf(server, { folder, location: { ...server, scheme: "s3" } });
        const paths = () => Array.fromAsync(store.list(""), ({ path }) => path);
        while (newestVersions(await paths()) < 20) await new Promise((resolve) => setTimeout(resolve, 50));
        job.kill("SIGKILL");
        assert.equal((await job.ended).status.signal, "SIGKILL");
        const end = await runJob(plan);
        assertComplete(end, 3);
        assert.equal(end.outcome.mirrors.filter(({ isCurrent }) => isCurrent).length, 6, end.log);
        await maintainWhole(lakeIn(server), folder);
        await verifyBeside(lakeIn(server), folder);
        await explore(lakeIn(server), folder);
        const stopped = startJob({ ...plan, flags: [...plan.flags, "--follow"] });
        await stopped.until(/capturing through slot/);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        stopped.kill("SIGINT");
        const { code, outcome } = endOf(await stopped.ended);
        assert.equal(code, 0);
        const { tables, mirrors } = outcome;
        assert.ok([...tables, ...mirrors].every(({ location }) => location.startsWith(`${lakeIn(server)}/`)));
        assert.ok(mirrors.every(({ isCurrent }) => isCurrent), "mirrors have followed maintenance");
        const held = (await paths()).filter((path) => /lease|probe/.test(path));
        assert.deepEqual(held, [], "neither a lease nor a probe is left behind");
      })
    ));
});

await objectStoreTests("who else may be at an object store", (withServer) => {
  Deno.test("a store that goes away for twenty seconds while rows flow costs nothing", () =>
    withServer((server) =>
      withScene(async (scene) => {
        await using proxy = await FaultyObjectProxy.start(server.endpoint);
        using _environment = pointAt({ ...server, endpoint: proxy.endpoint });
        const lake = lakeIn(server);
        const job = new CrashChild({ url: scene.url, lake, follow: true }, scene.folder);
        await job.until(/streaming/);
        await scene.writer.stream({ payments: 300, churnShare: 0.2 });
        proxy.plan = () => "cut";
        await scene.writer.stream({ payments: 300, churnShare: 0.2 });
        await new Promise((resolve) => setTimeout(resolve, 20_000));
        proxy.plan = () => undefined;
        assert.ok((proxy.happened.get("cut") ?? 0) > 5, "the job did not ask while the store was away");
        await scene.writer.stream({ payments: 300, churnShare: 0.2 });
        job.kill("SIGINT");
        assert.equal((await job.report()).error, undefined);
        await runToEnd({ ...scene, lake });
      })
    ));

  Deno.test("a second machine on the same bucket is fenced, and the first goes on", () =>
    withServer((server) =>
      withScene(async (scene) => {
        using _environment = pointAt(server);
        const lake = lakeIn(server);
        const first = new CrashChild({ url: scene.url, lake, follow: true }, scene.folder);
        await first.until(/streaming/);
        await withTemporaryFolder(async (elsewhere) => {
          const second = await new CrashChild({ url: scene.url, lake }, elsewhere).report();
          assert.equal(second.error?.kind, "fenced");
        });
        await scene.writer.stream({ payments: 100, churnShare: 0.2 });
        first.kill("SIGINT");
        assert.equal((await first.report()).error, undefined);
        await runToEnd({ ...scene, lake });
      })
    ));
});
