/** The jobs that search and that serve, as a user starts them. */
import assert from "node:assert/strict";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { manyNotes, VectorLake } from "../../lib/testing/vector_lake.ts";
import { JobProcess } from "../crash/job_process.ts";

const similarJob = new URL("../../jobs/similar.ts", import.meta.url);
const serveJob = new URL("../../jobs/serve_embeddings.ts", import.meta.url);

interface Found {
  readonly ok: boolean;
  readonly format: string;
  readonly searchedBy: string;
  readonly rows: readonly { readonly similarity: number; readonly row: Readonly<Record<string, unknown>> }[];
  readonly error?: { readonly kind: string; readonly message: string; readonly advice: string };
}

Deno.test("a search prints what it found, keeps an index where it is told to, and says what it cannot do", () =>
  withDatabase(async (fixture) => {
    const { folder } = fixture;
    const table = new VectorLake(fixture, { format: "paimon" });
    await table.write([...manyNotes(0, 500), { id: 900, text: "grocery shop" }, { id: 901 }]);
    const run = async (...flags: string[]) => {
      const args = ["--lake", `${folder}/lake`, "--json", ...flags];
      const { status, output, log } = await new JobProcess({ script: similarJob, args, folder }).ended;
      return { code: status.code, found: JSON.parse(output) as Found, log };
    };
    const byText = await run(
      "--table",
      "notes",
      "--text",
      "grocery shop",
      "--filter",
      "stars=0",
      "--top",
      "2",
      "--index",
    );
    assert.equal(byText.code, 0, byText.log);
    assert.match(byText.log, /the index was built: 501 texts came in/);
    assert.match(
      byText.log,
      /paimon desk\.notes, 501 vectors of weir-hash-nonsemantic@1 \(128 dimensions\), all compared/,
    );
    assert.match(byText.log, /left out: 1 rows without a vector/);
    assert.deepEqual([byText.found.format, byText.found.searchedBy, byText.found.rows.length], ["paimon", "scan", 2]);
    assert.ok(byText.found.rows.every(({ row }) => row.stars === 0 && String(row.note).startsWith("grocery shop")));
    const byKey = await run("--table", "desk.notes", "--id", "id=900", "--columns", "note", "--top", "1");
    assert.deepEqual(Object.keys(byKey.found.rows[0]!.row), ["id", "note"]);
    const wrong = await run("--table", "desk.note", "--id", "1");
    assert.deepEqual([wrong.code, wrong.found.error?.advice], [1, "Did you mean desk.notes?"]);
    const untyped = await run("--table", "desk.notes", "--text", "rent", "--filter", "stars>=abc");
    assert.equal(
      untyped.found.error?.message,
      '--filter "stars>=abc": "abc" is no value of desk.notes.stars (INTEGER)',
    );
    const asked = await run("--table", "desk.notes");
    assert.match(asked.found.error!.advice, /--id or --text/);
    const state = (await Array.fromAsync(Deno.readDir(`${folder}/data/state/similar`))).length;
    assert.equal(state, 0, "nothing but the index stays");
  }));

Deno.test("a served model answers until Ctrl-C, and listens to other machines with a token alone", () =>
  withDatabase(async ({ folder }) => {
    const port = freePort();
    const server = new JobProcess({ script: serveJob, args: ["--port", String(port), "--json"], folder });
    await server.until(/weir \(128 dimensions\) answers at http:\/\/127\.0\.0\.1:\d+\/v1\/embeddings/);
    const response = await fetch(`http://127.0.0.1:${port}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "weir", input: ["a", "b"] }),
    });
    const { data } = await response.json() as { readonly data: readonly { readonly embedding: readonly number[] }[] };
    assert.deepEqual(data.map(({ embedding }) => embedding.length), [128, 128]);
    server.kill("SIGINT");
    const { status, output } = await server.ended;
    assert.deepEqual([status.code, JSON.parse(output)], [0, { ok: true, requests: 1, refused: 0, texts: 2 }]);
    const open = new JobProcess({ script: serveJob, args: ["--host", "0.0.0.0"], folder });
    const refused = await open.ended;
    assert.equal(refused.status.code, 1);
    assert.match(refused.log, /WEIR_SERVE_TOKEN/);
  }));

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
