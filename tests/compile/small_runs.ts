/** What a job is asked for to show that it has all it needs: little, but the real thing. */
import assert from "node:assert/strict";
import type { Ended, Start } from "./program_run.ts";

/** A transformer, from where the jobs run: it needs the native library that runs such models. */
export const transformer = "data/state/models/tiny";

/** A search that needs a worker for the model and one for the graph, the model's files, and two native libraries. */
export const search = ["--table", "transactions", "--index", "--text", "rent of a flat", "--json"];

/** By job. Those after `pipeline` work on what it leaves where they run. */
export const smallRuns: Readonly<Record<string, (start: Start) => Promise<void>>> = {
  pipeline: async (start) => {
    const { tables } = succeeded(await start("--holders", "20", "--payments", "100", "--json"));
    const payments = tables.filter(({ name }) => name === "transactions");
    assert.deepEqual(payments.map(({ rows }) => rows), [200, 200]);
  },
  verify: async (start) => {
    const { tables } = succeeded(await start("--json"));
    assert.ok(tables.length >= 6);
  },
  maintain: async (start) => {
    succeeded(await start("--json"));
  },
  similar: async (start) => {
    assert.equal(succeeded(await start(...search)).rows.length, 10);
  },
  embed: async (start) => {
    const { tables } = succeeded(await start("--model", transformer, "--tables", "payments.transactions", "--json"));
    assert.deepEqual(tables.map(({ vectors }) => vectors), [200]);
  },
  sql: async (start) => {
    const ended = await start("SELECT count(*) AS n FROM payments.transactions", "--output", "json");
    assert.deepEqual([ended.code, JSON.parse(ended.output)], [0, [{ n: 200 }]], ended.log);
  },
};

/** The parts of the jobs' outcomes that are looked at. */
interface Outcome {
  readonly ok: boolean;
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly vectors?: number }[];
  readonly rows: readonly unknown[];
}

function succeeded({ code, output, log }: Ended): Outcome {
  assert.equal(code, 0, log + output);
  const outcome = JSON.parse(output) as Outcome;
  assert.equal(outcome.ok, true, output);
  return outcome;
}
