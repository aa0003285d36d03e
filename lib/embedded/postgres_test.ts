import assert from "node:assert/strict";
import { join } from "node:path";
import pg from "pg";
import { WeirError } from "../errors.ts";
import { copyPristineCluster } from "../testing/pristine_cluster.ts";
import { layOutBinaries } from "./binaries.ts";
import { EmbeddedPostgres } from "./postgres.ts";
import { findAccount } from "./server_user.ts";

const settings = { fsync: "off" };

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: statement, rowMode: "array" });
    return rows.flat();
  } finally {
    await client.end();
  }
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A folder with a cluster that was not started yet, for promises that are not about how one is made. */
function withCluster(body: (folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await copyPristineCluster(folder);
    await body(folder);
  });
}

function isKind(kind: string): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof WeirError && thrown.kind === kind;
}

Deno.test("the embedded server is PostgreSQL 18 in UTF-8 and decodes a logical slot", () =>
  withFolder(async (folder) => {
    await using server = await EmbeddedPostgres.start({ folder, settings });
    assert.deepEqual(
      await query(
        server.url,
        "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')",
      ),
      [18, "UTF8"],
    );
    await query(server.url, "CREATE TABLE a (id int PRIMARY KEY)");
    await query(server.url, "SELECT pg_create_logical_replication_slot('p', 'pgoutput')");
    await query(server.url, "CREATE PUBLICATION w FOR TABLE a");
    await query(server.url, "INSERT INTO a VALUES (1)");
    const [count] = await query(
      server.url,
      "SELECT count(*) FROM pg_logical_slot_peek_binary_changes('p', NULL, NULL, 'proto_version', '1', 'publication_names', 'w')",
    );
    assert.ok(Number(count) >= 3, "begin, insert, commit");
  }));

Deno.test("data and port survive a stop, a restart and a kill", () =>
  withCluster(async (folder) => {
    const first = await EmbeddedPostgres.start({ folder });
    await query(first.url, "CREATE TABLE a AS SELECT 1 AS id");
    await first.restart();
    await query(first.url, "INSERT INTO a VALUES (2)");
    await first.kill();
    await first.restart();
    assert.deepEqual(await query(first.url, "SELECT id FROM a ORDER BY id"), [1, 2]);
    await first.stop();

    await using second = await EmbeddedPostgres.start({ folder });
    assert.equal(second.port, first.port);
    assert.deepEqual(await query(second.url, "SELECT id FROM a ORDER BY id"), [1, 2]);
  }));

Deno.test("a folder has one owner, and a taken port is named", () =>
  withCluster(async (folder) => {
    await using server = await EmbeddedPostgres.start({ folder, settings });
    await assert.rejects(EmbeddedPostgres.start({ folder, settings }), isKind("fenced"));
    await withCluster(async (other) => {
      await assert.rejects(EmbeddedPostgres.start({ folder: other, port: server.port, settings }), isKind("portTaken"));
    });
  }));

Deno.test("a data folder that the server refuses is named as its own, not as the lake's", () =>
  withCluster(async (folder) => {
    await (await EmbeddedPostgres.start({ folder, settings })).stop();
    await Deno.chmod(`${folder}/data`, 0o755);
    await assert.rejects(EmbeddedPostgres.start({ folder, settings }), {
      kind: "storage",
      message: /did not start: .*data directory .* has invalid permissions/,
      advice: /what the server says of its folder, or set POSTGRES_URL/,
    });
  }));

Deno.test("a wrong password is refused", () =>
  withCluster(async (folder) => {
    await using server = await EmbeddedPostgres.start({ folder, settings });
    const url = new URL(server.url);
    url.password = "wrong";
    await assert.rejects(query(url.href, "SELECT 1"), { code: "28P01" });
  }));

const root = new URL("../../", import.meta.url).pathname;
const isRoot = Deno.uid() === 0;
/** Everybody else has shown what an ordinary user can do with the other tests. */
const forRoot = isRoot ? "" : " (skipped: only root can become another user)";
const isOpen = !isRoot || await othersMayRead(root);
const forOpen = isOpen ? forRoot : " (skipped: this checkout is closed to other users)";

async function othersMayRead(folder: string): Promise<boolean> {
  const parts = folder.split("/").filter((part) => part !== "");
  const paths = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  const modes = await Promise.all(paths.map(async (path) => (await Deno.stat(path)).mode ?? 0));
  return modes.every((mode) => (mode & 0o001) !== 0);
}

Deno.test("the programs are laid out by a process that may run them, as every job may", () =>
  withFolder(async (folder) => {
    const names = ["initdb", "pg_ctl", "postgres", "watch"];
    const programs = names.map((name) => join(folder, "programs", "bin", name));
    const script = `import { layOutBinaries } from "${new URL("binaries.ts", import.meta.url)}";
      await layOutBinaries(Deno.args[0]);`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-q", "--no-prompt", "--cached-only", "--config", join(root, "deno.json"), "--allow-read"],
        ...[`--allow-write=${folder}`, `--allow-run=${programs}`, "-", join(folder, "programs")],
      ],
      cwd: root,
      stdin: "piped",
      stderr: "piped",
    }).spawn();
    await new Blob([script]).stream().pipeTo(child.stdin);
    const { success, stderr } = await child.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    for (const program of programs) assert.ok((await Deno.stat(program)).isFile);
  }));

/** Starts a server in another process, prints its address and waits to be killed. */
const otherProcess = `
import { EmbeddedPostgres } from "${new URL("postgres.ts", import.meta.url)}";
const server = await EmbeddedPostgres.start({ folder: Deno.args[0], settings: { fsync: "off" } });
console.log(server.url);
`;

async function startElsewhere(
  folder: string,
  options: Pick<Deno.CommandOptions, "uid" | "gid" | "cwd" | "env"> = {},
): Promise<{ url: string; kill(): Promise<void> }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--cached-only", "--config", join(root, "deno.json"), ...grants(folder), "-", folder],
    cwd: root,
    ...options,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(otherProcess));
  await input.close();
  const output = child.stdout.getReader();
  const { value } = await output.read();
  const kill = async () => {
    child.kill("SIGKILL");
    await child.status;
    await output.cancel();
  };
  if (value === undefined) await kill();
  assert.ok(value, "the other process printed its address");
  return { url: new TextDecoder().decode(value).trim(), kill };
}

function grants(folder: string): string[] {
  const files = [root, folder, "data/state", "/etc/passwd", "/var/lib/weir"].join(",");
  return [`--allow-read=${files}`, `--allow-write=${files}`, "--allow-net=127.0.0.1", "--allow-run", "--allow-sys=uid"];
}

/** Processes that have to do with a folder: the server, and who watches over it. */
async function processesOf(folder: string, part = ""): Promise<readonly number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-axww", "-o", "pid=,args="] }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.filter((line) => line.includes(folder) && line.includes(part)).map((line) => Number.parseInt(line));
}

Deno.test("the server of a killed process stops too, in order, and its data are there", () =>
  withCluster(async (folder) => {
    const other = await startElsewhere(folder);
    await query(other.url, "CREATE TABLE a AS SELECT 7 AS id");
    assert.equal((await processesOf(folder)).length >= 2, true);
    await other.kill();
    const deadline = Date.now() + 10_000;
    while ((await processesOf(folder)).length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await processesOf(folder), []);
    await using server = await EmbeddedPostgres.start({ folder, settings });
    assert.deepEqual(await query(server.url, "SELECT id FROM a"), [7]);
    assert.doesNotMatch(await Deno.readTextFile(join(folder, "server.log")), /not properly shut down/);
  }));

Deno.test("a server left running by a killed process is taken over with its data", () =>
  withCluster(async (folder) => {
    const other = await startElsewhere(folder);
    await assert.rejects(EmbeddedPostgres.start({ folder, settings }), isKind("fenced"));
    await query(other.url, "CREATE TABLE a AS SELECT 7 AS id");
    const watches = await processesOf(folder, "bin/watch");
    assert.equal(watches.length, 1);
    for (const pid of watches) Deno.kill(pid, "SIGKILL");
    await other.kill();
    assert.deepEqual(await query(other.url, "SELECT 1"), [1], "the server outlived its owner");
    await using server = await EmbeddedPostgres.start({ folder, settings });
    assert.deepEqual(await query(server.url, "SELECT id FROM a"), [7]);
  }));

Deno.test({
  name: `an ordinary user starts a server in a folder of their own${forOpen}`,
  ignore: !isRoot || !isOpen,
  fn: () =>
    withFolder(async (folder) => {
      const { uid, gid } = findAccount(await Deno.readTextFile("/etc/passwd"), "nobody") ??
        assert.fail("no user nobody");
      await Deno.chown(folder, uid, gid);
      const env = { HOME: folder, DENO_DIR: join(folder, "deno") };
      const server = await startElsewhere(join(folder, "server"), { uid, gid, cwd: folder, env });
      try {
        assert.deepEqual(await query(server.url, "SELECT current_setting('wal_level')"), ["logical"]);
        assert.equal((await Deno.stat(join(folder, "server", "data"))).uid, uid);
        assert.equal(((await Deno.stat(join(folder, "server", "password"))).mode ?? 0) & 0o777, 0o600);
      } finally {
        await server.kill();
        await (await EmbeddedPostgres.start({ folder: join(folder, "server") })).stop();
      }
    }),
});

Deno.test({
  name: `root in a folder nobody else may enter has a server, and a new one when the folder is new${forRoot}`,
  ignore: !isRoot,
  fn: () =>
    withFolder(async (closed) => {
      await Deno.chmod(closed, 0o700);
      const folder = join(closed, "server");
      const homes: string[] = [];
      try {
        for (const existing of [0, 1]) {
          await using server = await EmbeddedPostgres.start({ folder, settings });
          homes.push((await Deno.readTextFile(join(folder, "location"))).trim());
          await query(server.url, "CREATE TABLE IF NOT EXISTS a (id int)");
          assert.deepEqual(await query(server.url, "SELECT count(*)::int FROM a"), [existing]);
          await query(server.url, "INSERT INTO a VALUES (1)");
        }
        await Deno.remove(folder, { recursive: true });
        await using server = await EmbeddedPostgres.start({ folder, settings });
        await assert.rejects(query(server.url, "SELECT FROM a"), { code: "42P01" });
      } finally {
        for (const home of homes) await Deno.remove(home, { recursive: true }).catch(() => undefined);
      }
    }),
});

Deno.test("a machine without a package is told what to do", async () => {
  await assert.rejects(
    layOutBinaries(join(root, "data/state/nowhere"), "plan9-mips"),
    (thrown) => isKind("precondition")(thrown) && /POSTGRES_URL/.test((thrown as WeirError).advice),
  );
});

Deno.test("a cluster of another version is left alone", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "data"));
    await Deno.writeTextFile(join(folder, "data", "PG_VERSION"), "17\n");
    await assert.rejects(EmbeddedPostgres.start({ folder, settings }), isKind("precondition"));
  }));
