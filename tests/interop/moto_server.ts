/** Moto: another maker's object store, in Python and in memory. It checks no signature. */
import { dirname, join } from "node:path";
import { freePort } from "../../lib/embedded/port.ts";
import { ObjectClient } from "../../lib/storage/s3/client.ts";
import { answering, type ObjectServer } from "./object_server.ts";

/** Starts one with an empty bucket; it ends with the process. @param python program of the environment it is in */
export async function sharedMotoServer(python: string): Promise<ObjectServer> {
  const port = freePort();
  const child = new Deno.Command(join(dirname(python), "moto_server"), {
    args: ["-H", "127.0.0.1", "-p", String(port)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  globalThis.addEventListener("unload", () => child.kill("SIGKILL"));
  const server = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: "lake",
    credentials: { accessKeyId: "weir-test", secretAccessKey: "anything" },
    prefix: "",
  };
  await answering(server.endpoint);
  const client = new ObjectClient({ ...server, scheme: "s3", region: "us-east-1" });
  await client.send({ method: "PUT", key: "" }, () => {});
  return server;
}
