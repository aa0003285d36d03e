/** The job that searches, as a user starts it. */
import assert from "node:assert/strict";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { manyNotes, VectorLake } from "../../lib/testing/vector_lake.ts";
import { JobProcess } from "../crash/job_process.ts";

const similarJob = new URL("../../jobs/similar.ts", import.meta.url);

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
    const asked = await run("--table", "desk.notes");
    assert.match(asked.found.error!.advice, /--id or --text/);
    const state = (await Array.fromAsync(Deno.readDir(`${folder}/data/state/similar`))).length;
    assert.equal(state, 0, "nothing but the index stays");
  }));
