/** What a user gets wrong, or finds broken: each is said with what to do, ends with an error, and costs nothing. */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { assertComplete, assertRefused, assertSetAside, endOf, runJob, startJob } from "./real_job.ts";
import { filesBelow } from "./lake_files.ts";
import { untilCapturing, withScene } from "./scene.ts";

Deno.test("a port that is taken, a wrong password and a server that is not there are named", async () => {
  await withScene(async ({ url, folder, lake }) => {
    const flags = ["--lake", lake];
    const address = (changes: Partial<URL>) => Object.assign(new URL(url), changes).href;
    const { port } = new URL(url);
    assertRefused(await runJob({ job: "pipeline", folder, flags: [...flags, "--postgres-port", port] }), {
      kind: "portTaken",
      says: new RegExp(`port ${port} .*taken.*Choose another port with --postgres-port`),
    });
    const refused = await runJob({ job: "pipeline", folder, flags, url: address({ password: "open-sesame" }) });
    assertRefused(refused, {
      kind: "authentication",
      says: /password.*Check the user name and password in POSTGRES_URL/,
    });
    assert.doesNotMatch(refused.log + JSON.stringify(refused.outcome), /open-sesame/);
    assertRefused(await runJob({ job: "pipeline", folder, flags, url: address({ port: "1" }) }), {
      kind: "connection",
      says: /ECONNREFUSED.*Check that the server is up/,
    });
    assertComplete(await runJob({ job: "pipeline", folder, flags, url }), 6);
  });
});

Deno.test("a column or a table to embed that is not there is named, and nothing is made at the source", async () => {
  await withScene(async ({ url, folder, lake, client }) => {
    await client.query("CREATE TABLE spelt (id int PRIMARY KEY, note text); INSERT INTO spelt VALUES (1, 'x')");
    const plan = (embed: string) =>
      ({ job: "capture", url, folder, flags: ["--lake", lake, "--tables", "public.spelt", "--embed", embed] }) as const;
    assertRefused(await runJob(plan("spelt:note,nto")), {
      kind: "configuration",
      says: /no column "nto" to embed.*Write the columns of --embed as they are called in the lake table/,
    });
    assertRefused(await runJob(plan("splet:note")), {
      kind: "configuration",
      says: /names "splet", which is none of the captured tables.*let --tables match it/,
    });
    const { rows } = await client.query("SELECT FROM pg_publication UNION ALL SELECT FROM pg_replication_slots");
    assert.equal(rows.length, 0);
    assertComplete(await runJob(plan("spelt:note")), 2);
  });
});

Deno.test("a second instance is refused and the first goes on, also through a power cut of the server", async () => {
  await withScene(async (scene) => {
    const { lake, client, writer } = scene;
    const plan = { ...scene, job: "pipeline", flags: ["--lake", lake, "--batch-seconds", "0.2"] } as const;
    const first = startJob({ ...plan, flags: [...plan.flags, "--follow"] });
    await untilCapturing(client);
    assertRefused(await runJob(plan), {
      kind: "fenced",
      says: /Another process writes to the lake.*Stop the other instance/,
    });
    await writer.stream({ payments: 300, churnShare: 0.2 });
    await writer.close();
    await scene.killServer();
    await scene.restartServer();
    first.kill("SIGINT");
    const ended = endOf(await first.ended);
    assert.equal(ended.code, 0, ended.log);
    assertComplete(await runJob(plan), 6);
  });
});

Deno.test("a lake that cannot be read is named with the file to look at, and what to do about it does it", async (test) => {
  await withScene(async (scene) => {
    const { lake, folder, writer } = scene;
    const plan = { ...scene, job: "pipeline", flags: ["--lake", lake] } as const;
    await test.step("a file in the place of the folder", async () => {
      const file = `${folder}/file`;
      await Deno.writeTextFile(file, "");
      const says = /\/file.*Check that what is named above exists/;
      assertRefused(await runJob({ ...plan, flags: ["--lake", file] }), { kind: "storage", says });
    });
    await test.step({
      name: "a folder without the right to write (root may everything, so not for root)",
      ignore: Deno.uid() === 0,
      fn: () =>
        withTemporaryFolder(async (closed) => {
          await Deno.chmod(closed, 0o500);
          const says = /Check that what is named above exists and that this user may read and write it/;
          assertRefused(await runJob({ ...plan, flags: ["--lake", `${closed}/lake`] }), { kind: "storage", says });
        }),
    });
    assertComplete(await runJob(plan), 6);
    for (
      const pattern of [
        /iceberg\/payments\/transactions\/metadata\/v\d+\.metadata\.json$/,
        /iceberg\/payments\/account_holders\/metadata\/snap-.*\.avro$/,
        /iceberg\/payments\/transactions\/data\/.*\.parquet$/,
        /paimon\/payments\.db\/transactions\/snapshot\/snapshot-\d+$/,
      ]
    ) {
      await test.step(`${pattern.source} damaged`, async () => {
        await writer.stream({ payments: 20, churnShare: 1 });
        const path = await newestFile(lake, pattern);
        const bytes = await Deno.readFile(path);
        await Deno.writeTextFile(path, "{damaged");
        const name = path.slice(path.lastIndexOf("/") + 1);
        const says = new RegExp(`Cannot read .*${name}.*Restore the file named above`);
        assertRefused(await runJob(plan), { kind: "tableUnreadable", says });
        await Deno.writeFile(path, bytes);
      });
    }
    await test.step("a file damaged that only changed holders are looked up in: their dataset is set aside", async () => {
      await writer.stream({ payments: 20, churnShare: 1 });
      const path = await newestFile(lake, /paimon\/payments\.db\/accounts\/bucket-\d+\/.*\.parquet$/);
      const bytes = await Deno.readFile(path);
      await Deno.writeTextFile(path, "{damaged");
      const name = path.slice(path.lastIndexOf("/") + 1);
      const says = new RegExp(`set aside: Cannot read .*${name}[^]*What to do: Restore the file named above`);
      const expected = { kind: "tableUnreadable", dataset: "payments.account_holders", says };
      assertSetAside(await runJob(plan), expected);
      await Deno.writeFile(path, bytes);
    });
    await test.step("a table whose folder was removed is copied anew, the others go on", async () => {
      await Deno.remove(`${lake}/iceberg/payments/transactions`, { recursive: true });
      assertComplete(await runJob(plan), 6);
    });
  });
});

/** The file below a folder that was written last among those whose path fits. */
async function newestFile(folder: string, pattern: RegExp): Promise<string> {
  let newest = { path: "", ms: 0 };
  for (const path of await filesBelow(folder)) {
    const ms = (await Deno.stat(path)).mtime?.getTime() ?? 0;
    if (pattern.test(path) && ms >= newest.ms) newest = { path, ms };
  }
  assert.notEqual(newest.path, "", `no file fits ${pattern}`);
  return newest.path;
}
