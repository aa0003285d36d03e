/** The doctor against real servers that are well, and that are not. */
import assert from "node:assert/strict";
import { type Finding } from "../../jobs/wiring/doctor/finding.ts";
import { denoFinding, spaceFinding } from "../../jobs/wiring/doctor/machine.ts";
import { modelFindings } from "../../jobs/wiring/doctor/model.ts";
import { modelSettings } from "../../jobs/wiring/capture_settings.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { type AskedRequest, withScriptedStore } from "../../lib/testing/scripted_store.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { JobProcess } from "../crash/job_process.ts";

const root = new URL("../../", import.meta.url).pathname;

interface Examined {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly findings: readonly Finding[];
}

/** For tests that look at neither programs nor the model: to start Maven and to load the model take longer than all the rest. */
const nothingElse = { environment: { PATH: "" }, flags: ["--model", "hash"] } as const;

/** As a user starts it, with its own permissions. The lake is one of its own. */
async function examined(
  environment: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<Examined> {
  const lake = `data/lake/doctor-${crypto.randomUUID()}`;
  const args = ["run", "-q", "--no-prompt", "-P=doctor", "jobs/doctor.ts", "--json", "--lake", lake, ...flags];
  const env = { NO_COLOR: "1", ...environment };
  const ended = await new Deno.Command(Deno.execPath(), { args, cwd: root, env, stdin: "null" }).output();
  const [stdout, stderr] = [ended.stdout, ended.stderr].map((bytes) => new TextDecoder().decode(bytes));
  await Deno.remove(`${root}${lake}`, { recursive: true }).catch(() => {});
  const { findings = [] } = JSON.parse(stdout!) as { readonly findings?: readonly Finding[] };
  return { code: ended.code, stdout: stdout!, stderr: stderr!, findings };
}

/** What is wrong, with its remedy in one line. */
function wrongs({ findings }: Pick<Examined, "findings">): readonly string[] {
  return findings.filter(({ verdict }) => verdict === "wrong").map(({ what, says, remedy }) =>
    `${what}: ${says} -> ${remedy}`
  );
}

Deno.test("a server that can be captured from is well, and nothing is made there", () =>
  withPostgres(async ({ client, url }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    const run = await examined({ POSTGRES_URL: url }, ["--tables", "public.*", "--port", "1"]);
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(wrongs(run), []);
    const seen = new Map(run.findings.map(({ what, verdict, says }) => [what, `${verdict} ${says}`]));
    for (const what of ["deno", "engine", "state", "lake", "catalog", "source", "tables", "model"]) {
      assert.match(seen.get(what) ?? "", /^(ok|note) /, what);
    }
    assert.match(seen.get("source") ?? "", /PostgreSQL 18/);
    assert.equal(seen.get("tables"), "ok 1 can be captured");
    const { rows } = await client.query(
      "SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication) AS made",
    );
    assert.equal(rows[0].made, "0");
    assert.doesNotMatch(run.stdout + run.stderr, new RegExp(new URL(url).password));
  }));

Deno.test("each precondition that a server or a user lacks is told by itself, with the statement for it", () =>
  withPostgres(async ({ client, url }) => {
    await client.query("CREATE USER app PASSWORD 's3cret'");
    const app = Object.assign(new URL(url), { username: "app", password: "s3cret" });
    const ask = (url: string, ...flags: readonly string[]) =>
      examined({ POSTGRES_URL: url, ...nothingElse.environment }, [...nothingElse.flags, ...flags]);
    const run = await ask(app.href);
    assert.equal(run.code, 1);
    const told = wrongs(run).join("\n");
    assert.match(told, /source: wal_level is replica, not logical -> ALTER SYSTEM SET wal_level = logical/);
    assert.match(told, /source: user "app" may not replicate -> ALTER ROLE "app" REPLICATION/);
    assert.match(told, /may not make a publication .* -> GRANT CREATE ON DATABASE "postgres" TO "app"/);
    assert.match(told, /source: 0 of 1 replication slots are taken, 2 more are needed/);
    assert.match(run.stderr, /^wrong {2}source +wal_level is replica, not logical\n +ALTER SYSTEM/m);
    assert.doesNotMatch(run.stdout + run.stderr, /s3cret/);
    // What is there already need not be made: a slot under its name, and a publication.
    await client.query("SELECT pg_create_physical_replication_slot('mine')");
    await client.query("CREATE PUBLICATION mine");
    const mine = wrongs(await ask(app.href, "--slot", "mine")).join("\n");
    assert.match(mine, /source: 1 of 1 replication slots are taken, 1 more are needed/);
    assert.doesNotMatch(mine, /publication/);
    const refused = await ask(Object.assign(app, { password: "0ther" }).href);
    assert.match(wrongs(refused).join(), /^source: /);
    assert.doesNotMatch(refused.stdout + refused.stderr, /0ther/);
  }, { settings: { wal_level: "replica", max_replication_slots: "1" } }));

Deno.test("what is wrong in one place keeps nothing else from being looked at", async () => {
  const objects = new Map<string, AskedRequest>();
  const forgetful = (request: AskedRequest): Response => {
    if (request.method === "PUT") objects.set(request.path, request);
    const found = objects.get(request.path);
    if (request.method === "DELETE") objects.delete(request.path);
    return found === undefined ? new Response(null, { status: 404 }) : new Response(found.body);
  };
  await withScriptedStore(forgetful, async ({ endpoint }) => {
    const environment = {
      ...nothingElse.environment,
      POSTGRES_URL: "postgres://me:s3cret@127.0.0.1:1/app",
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: "key",
      AWS_SECRET_ACCESS_KEY: "wh1spered",
    };
    const catalog = ["--iceberg-catalog", "rest", "--iceberg-rest-uri", "http://127.0.0.1:1"];
    const flags = ["--lake", "s3://lake/x", ...catalog, "--model", "./data/nowhere"];
    const run = await examined(environment, flags);
    assert.equal(run.code, 1);
    assert.deepEqual(wrongs(run).map((line) => line.split(":")[0]), ["lake", "catalog", "source", "model"]);
    assert.match(wrongs(run)[0] ?? "", /does not refuse a put/);
    for (const { verdict, remedy } of run.findings) assert.ok(verdict === "ok" || (remedy ?? "").length > 10);
    assert.ok(run.findings.some(({ what, verdict }) => what === "engine" && verdict === "ok"));
    assert.doesNotMatch(run.stdout + run.stderr, /s3cret|wh1spered/);
  });
  assert.equal(objects.size, 0, "the probe leaves nothing behind");
});

Deno.test("the embedded server is started where no other is named, beside a port that is taken", () =>
  withTemporaryFolder(async (folder) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String((taken.addr as Deno.NetAddr).port);
    const script = new URL("../../jobs/doctor.ts", import.meta.url);
    const ask = (...args: readonly string[]) => {
      const { environment, flags } = nothingElse;
      return new JobProcess({ script, folder, environment, args: ["--json", ...flags, ...args] }).ended;
    };
    const { status, output } = await ask("--port", port);
    assert.equal(status.code, 0);
    const { findings } = JSON.parse(output) as Examined;
    assert.ok(findings.some(({ says }) => /^the embedded PostgreSQL 18/.test(says)));
    assert.ok(findings.some(({ what, verdict }) => what === "port" && verdict === "note"));
    const refused = await ask("--postgres-port", port);
    assert.equal(refused.status.code, 1);
    assert.match(wrongs(JSON.parse(refused.output)).join(), /source: port \d+ .*is taken.*--postgres-port/);
  }));

Deno.test("a shipped model with other files than it came with is wrong, one of the hub that is not here yet to note", async () => {
  const settings = resolveSettings(modelSettings, { flags: new Map(), environment: () => undefined, file: {} });
  const verdicts = async (changes: Partial<typeof settings>, shipped?: string) =>
    (await modelFindings({ ...settings, ...changes }, shipped)).map(({ verdict }) => verdict);
  assert.deepEqual(await verdicts({}), ["ok"]);
  assert.deepEqual(await verdicts({}, "0123456789ab"), ["wrong"]);
  assert.deepEqual(await verdicts({ model: "hash" }), ["ok"]);
  await withTemporaryFolder(async (modelCache) => {
    assert.deepEqual(await verdicts({ model: "nobody/model", modelCache }), ["note"]);
    assert.deepEqual(await verdicts({ model: "nobody/model", modelCache, offline: true }), ["wrong"]);
  });
});

Deno.test("an older Deno is wrong, a newer one to note; so is a disk that is nearly full", () => {
  assert.deepEqual(["2.8.9", "2.9.0", "2.9.7", "2.10.0", "3.0.0"].map((version) => denoFinding(version).verdict), [
    "wrong",
    "ok",
    "ok",
    "note",
    "note",
  ]);
  const verdicts = [2 ** 29, 5 * 2 ** 30, 2 ** 34].map((bytes) => spaceFinding("lake", "data/lake", bytes).verdict);
  assert.deepEqual(verdicts, ["wrong", "note", "ok"]);
});
