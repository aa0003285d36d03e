/**
 * An object store of another maker on loopback, one for all tests of a file. `WEIR_TEST_STORE=versitygw` takes another one than
 * the suites do by themselves.
 */
import { freePorts } from "../../lib/embedded/port.ts";
import { ObjectClient } from "../../lib/storage/s3/client.ts";
import { seaweedfs } from "./seaweedfs.ts";
import { installed, type StoreCredentials } from "./store_program.ts";
import { versityGateway } from "./versity_gateway.ts";

const program = Deno.env.get("WEIR_TEST_STORE") === "versitygw" ? versityGateway : seaweedfs;

/** A place in a store with nothing in it. */
export interface ObjectServer {
  readonly endpoint: string;
  readonly bucket: string;
  /** Below it nobody else puts anything. */
  readonly prefix: string;
  readonly credentials: StoreCredentials;
}

/** Runs a body with a place of its own in the store. */
export type WithObjectServer = (body: (server: ObjectServer) => Promise<void>) => Promise<void>;

/** Declares tests that need a store; where none can be had they are reported as skipped, with the reason in the name. */
export async function objectStoreTests(name: string, declare: (withServer: WithObjectServer) => void): Promise<void> {
  const found = await (shared ??= start());
  if ("missing" in found) Deno.test({ name: `${name} (skipped: ${found.missing})`, ignore: true, fn: () => {} });
  else declare((body) => body(placeIn(found)));
}

/** A place in the store for all tests of a file. Undefined where no store can be had. */
export async function sharedObjectServer(): Promise<ObjectServer | undefined> {
  const found = await (shared ??= start());
  return "missing" in found ? undefined : placeIn(found);
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

/** A place for a lake in a store. */
export function lakeIn({ bucket, prefix }: ObjectServer): string {
  return `s3://${bucket}/${prefix}`;
}

type Running = Omit<ObjectServer, "prefix">;

interface NoStore {
  readonly missing: string;
}

let shared: Promise<Running | NoStore> | undefined;

function placeIn(running: Running): ObjectServer {
  return { ...running, prefix: crypto.randomUUID() };
}

/** Starts the store; it ends with the process. Its ports are others where somebody else has taken one meanwhile. */
async function start(): Promise<Running | NoStore> {
  const found = await installed(program);
  if ("missing" in found) return found;
  const credentials = { accessKeyId: "weir-test", secretAccessKey: "not/a+secret" };
  for (let tries = 1;; tries++) {
    const folder = await Deno.makeTempDir({ prefix: "weir-" });
    const ports = freePorts(8);
    const child = (await program.command(found.path, { folder, ports, credentials })).spawn();
    globalThis.addEventListener("unload", () => {
      try {
        child.kill("SIGKILL");
      } catch { /* It ended by itself. */ }
      Deno.removeSync(folder, { recursive: true });
    });
    const running = { endpoint: `http://127.0.0.1:${ports[0]}`, bucket: "lake", credentials };
    const isUp = await Promise.race([takesObjects(running), child.status.then(() => false)]);
    if (isUp) return running;
    if (tries === 3) throw new Error(`The object store at ${running.endpoint} does not start`);
  }
}

/** Makes the bucket as soon as the store lets it. */
async function takesObjects(running: Running): Promise<boolean> {
  await answering(running.endpoint);
  const client = new ObjectClient({ ...running, scheme: "s3", region: "us-east-1", firstWaitMs: 50 });
  await client.send({ method: "PUT", key: "" }, () => {});
  await client.send({ method: "PUT", key: "first", body: new Uint8Array(1) }, () => {});
  await client.send({ method: "DELETE", key: "first" }, () => {});
  return true;
}

/** Waits until a store answers anything. */
export async function answering(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const isUp = await fetch(endpoint).then(
      (response) => response.body?.cancel().then(() => true) ?? true,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The object store at ${endpoint} does not answer`);
}
