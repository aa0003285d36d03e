/**
 * An object store of another maker on loopback: Versity's S3 gateway over a folder, built from source once into
 * `tests/.cache` and kept.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../lib/embedded/port.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary.ts";

const version = "v1.8.0";
const buildFolder = fileURLToPath(new URL(`../.cache/versitygw-${version}`, import.meta.url));

/** A store with one empty bucket. */
export interface ObjectServer {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Local folder in which the bucket's objects lie as files, to be looked at behind the store's back; empty for none. */
  readonly folder: string;
}

/** The gateway's program, or why there is none. */
type Program = { readonly path: string } | { readonly missing: string };

let built: Promise<Program> | undefined;

/** Runs a body with a store of its own. */
export type WithObjectServer = (body: (server: ObjectServer) => Promise<void>) => Promise<void>;

/** Declares tests that need a store; where none can be built they are reported as skipped, with the reason in the name. */
export async function objectStoreTests(name: string, declare: (withServer: WithObjectServer) => void): Promise<void> {
  const program = await (built ??= build());
  if ("missing" in program) Deno.test({ name: `${name} (skipped: ${program.missing})`, ignore: true, fn: () => {} });
  else declare((body) => withObjectServer(program.path, body));
}

/** Has jobs and readers that are started from now on find a store, until this is disposed. */
export function pointAt({ endpoint, credentials }: ObjectServer): Disposable {
  const variables = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: "us-east-1",
  };
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  return { [Symbol.dispose]: () => Object.keys(variables).forEach((name) => Deno.env.delete(name)) };
}

async function build(): Promise<Program> {
  const path = join(buildFolder, "versitygw");
  if (await Deno.stat(path).then(() => true, () => false)) return { path };
  const command = new Deno.Command("go", {
    args: ["install", "-ldflags=-s -w", `github.com/versity/versitygw/cmd/versitygw@${version}`],
    env: { GOBIN: buildFolder, CGO_ENABLED: "0" },
    stdin: "null",
  });
  const ended = await command.output().catch((thrown) => ({
    success: false,
    stderr: new TextEncoder().encode(thrown),
  }));
  if (ended.success) return { path };
  return { missing: `go install failed: ${new TextDecoder().decode(ended.stderr).trim().split("\n").at(-1)}` };
}

async function withObjectServer(program: string, body: (server: ObjectServer) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (root) => {
    const { server, child } = await start(program, root);
    try {
      await body(server);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  });
}

/** One store for all tests of a file; it ends with the process. Undefined where none can be built. */
export async function sharedObjectServer(): Promise<ObjectServer | undefined> {
  const program = await (built ??= build());
  if ("missing" in program) return undefined;
  const root = await Deno.makeTempDir({ prefix: "weir-" });
  const { server, child } = await start(program.path, root);
  globalThis.addEventListener("unload", () => {
    child.kill("SIGKILL");
    Deno.removeSync(root, { recursive: true });
  });
  return server;
}

async function start(
  program: string,
  root: string,
): Promise<{ readonly server: ObjectServer; readonly child: Deno.ChildProcess }> {
  const bucket = "lake";
  const folder = join(root, bucket);
  await Deno.mkdir(folder);
  const credentials = { accessKeyId: "weir-test", secretAccessKey: "not/a+secret" };
  const port = freePort();
  const child = new Deno.Command(program, {
    args: ["--quiet", "--keep-alive", "--port", `127.0.0.1:${port}`, "posix", root],
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(endpoint);
  return { server: { endpoint, bucket, credentials, folder }, child };
}

/** Waits until a store answers anything. */
export async function answering(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isUp = await fetch(endpoint).then(
      (response) => response.body?.cancel().then(() => true) ?? true,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The object store at ${endpoint} does not answer`);
}
