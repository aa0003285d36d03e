/** An Iceberg REST catalog of another maker on loopback: the reference code's own server, fetched by Maven on demand and kept. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type JavaProgram, javaProgram } from "./java_program.ts";

/** Longest time until a started server answers, milliseconds. */
const startMs = 90_000;

/** Settings that the server reads as `CATALOG_…`. */
export type ServerSettings = Readonly<Record<string, string>>;

/** A running server. Disposing ends it. */
export class RestServer implements AsyncDisposable {
  readonly uri: string;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;

  private constructor(uri: string, child: Deno.ChildProcess) {
    this.uri = uri;
    this.#child = child;
    this.#log = new Response(child.stderr).text();
  }

  /** Starts a server whose warehouse and database are in a folder. */
  static async start(folder: string, settings: ServerSettings = {}): Promise<RestServer> {
    const port = freePort();
    const found = await program();
    if ("missing" in found) assert.fail(found.missing);
    const command = new Deno.Command("java", {
      args: [
        "-Xmx384m",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        found.classPath,
        "org.apache.iceberg.rest.RESTCatalogServer",
      ],
      env: {
        CATALOG_CATALOG__IMPL: "org.apache.iceberg.jdbc.JdbcCatalog",
        CATALOG_URI: `jdbc:sqlite:${join(folder, "catalog.db")}`,
        CATALOG_WAREHOUSE: `file://${join(folder, "warehouse")}`,
        CATALOG_IO__IMPL: "org.apache.iceberg.hadoop.HadoopFileIO",
        CATALOG_REST_PORT: String(port),
        ...settings,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    });
    const server = new RestServer(`http://127.0.0.1:${port}`, command.spawn());
    await server.#untilAnswering();
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#log;
  }

  async #untilAnswering(): Promise<void> {
    let ended: string | undefined;
    void this.#log.then((text) => ended = text);
    for (const startedMs = performance.now(); performance.now() - startedMs < startMs;) {
      assert.equal(ended, undefined, `the server ended: ${ended}`);
      const answer = await fetch(`${this.uri}/v1/config`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await this[Symbol.asyncDispose]();
    assert.fail(`the server does not answer: ${await this.#log}`);
  }
}

/** Why there is no server to be had; undefined where there is one. */
export async function missingServer(): Promise<string | undefined> {
  const found = await program();
  return "missing" in found ? found.missing : undefined;
}

async function program(): Promise<JavaProgram> {
  return await javaProgram({ name: "rest_server", project: "rest_server/pom.xml" });
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
