/** The capture job over an Iceberg REST catalog that asks for a token and fails now and then: killed, started again, exact. */
import assert from "node:assert/strict";
import { type CatalogFault, RestCatalogServer } from "../../lib/testing/rest_catalog_server.ts";
import { JobProcess } from "./job_process.ts";
import { assertComplete, assertRefused, endOf } from "./real_job.ts";
import { type Scene, untilCapturing, withScene } from "./scene.ts";

const secret = "a-very-secret-word";
const tables = ["public.accountholders", "public.transactions"];

function startCapture(scene: Scene, uri: string, more: readonly string[] = []): JobProcess {
  const catalog = ["--iceberg-catalog", "rest", "--iceberg-rest-uri", uri];
  const flags = ["--lake", scene.lake, "--tables", tables.join(), "--formats", "iceberg", "--batch-seconds", "0.1"];
  return new JobProcess({
    script: new URL("../../jobs/capture.ts", import.meta.url),
    args: ["--json", ...flags, ...catalog, ...more],
    folder: scene.folder,
    environment: { POSTGRES_URL: scene.url, ICEBERG_REST_CREDENTIAL: `weir:${secret}` },
  });
}

const faults: readonly CatalogFault[] = ["after", "before", "twice", "cut", { status: 429 }, { status: 503 }];

Deno.test("a job whose catalog loses answers and tokens is killed, goes on, and misses nothing", () =>
  withScene(async (scene) => {
    await using server = new RestCatalogServer();
    server.behaviour.secret = secret;
    server.behaviour.tokenSeconds = 1;
    let commits = 0;
    server.plan = (call) => {
      if (!RestCatalogServer.isCommit(call)) return undefined;
      commits++;
      if (commits % 5 === 0) server.revokeTokens();
      return commits % 3 === 0 ? faults[(commits / 3) % faults.length] : undefined;
    };
    const first = startCapture(scene, server.uri, ["--follow"]);
    await untilCapturing(scene.client);
    await scene.writer.stream({ payments: 200, churnShare: 0.5 });
    first.kill("SIGKILL");
    await first.ended;
    await scene.writer.stream({ payments: 200, churnShare: 0.5 });
    const second = await startCapture(scene, server.uri).ended;
    assertComplete(endOf(second), tables.length);
    assert.ok(commits > 6, `${commits} commits`);
    assert.doesNotMatch(`${second.output}${second.log}`, new RegExp(secret));
    const names = Array.from(
      Deno.readDirSync(`${scene.lake}/iceberg/public/transactions/metadata`),
      ({ name }) => name,
    );
    assert.deepEqual(names.filter((name) => !name.endsWith(".avro")), [], "the catalog keeps the versions");
    server.plan = () => undefined;
    server.tables.commit("/public.transactions", {
      requirements: [],
      updates: [{ action: "set-properties", updates: { "gc.enabled": "false" } }],
    });
    const mirrored = await startCapture(scene, server.uri, ["--mirror", "delta"]).ended;
    assertRefused(endOf(mirrored), { kind: "precondition", says: /mirror public\.transactions: .*Leave --mirror out/ });
  }));

Deno.test("a catalog that cannot be used is told before anything is captured", () =>
  withScene(async (scene) => {
    await using server = new RestCatalogServer();
    server.behaviour.secret = "another-secret-word";
    const refused = await startCapture(scene, server.uri).ended;
    assertRefused(endOf(refused), { kind: "authentication", says: /invalid_client.*ICEBERG_REST_CREDENTIAL/ });
    const none = await startCapture(scene, `${server.uri}/elsewhere`).ended;
    assertRefused(endOf(none), { kind: "authentication", says: /HTTP 40/ });
    for (const { output, log } of [refused, none]) assert.doesNotMatch(output + log, new RegExp(secret));
    const unclear = await startCapture(scene, server.uri, ["--iceberg-catalog", "file"]).ended;
    assertRefused(endOf(unclear), { kind: "configuration", says: /--iceberg-catalog rest/ });
  }));
