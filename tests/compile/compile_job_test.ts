/** `deno task compile` as a user runs it. */
import assert from "node:assert/strict";
import { jobPrograms } from "../../jobs/wiring/binary/job_program.ts";
import { programParts } from "../../jobs/wiring/binary/program_parts.ts";
import type { ErrorReport } from "../../lib/cli/error_text.ts";

const root = new URL("../../", import.meta.url).pathname;

interface Outcome {
  readonly ok: boolean;
  readonly error?: ErrorReport;
  readonly binaries?: readonly {
    readonly job: string;
    readonly path: string | null;
    readonly bytes: number | null;
    readonly fileBytes: number;
    readonly packageBytes: number;
  }[];
}

async function compile(args: readonly string[], base: string): Promise<Outcome> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", "-P=compile", "jobs/compile.ts", "--json", ...args],
    cwd: root,
    // The task's Deno, whatever else is called so on this machine.
    env: { DENORT_BIN: base, PATH: `${Deno.execPath().replace(/\/[^/]+$/, "")}:${Deno.env.get("PATH")}` },
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout);
  assert.notEqual(output, "", new TextDecoder().decode(stderr));
  return JSON.parse(output);
}

Deno.test("a dry run measures every job, and makes nothing", async () => {
  const { ok, binaries = [] } = await compile(["--dry-run"], "/nowhere/denort");
  assert.equal(ok, true);
  assert.deepEqual(binaries.map(({ job }) => job), jobPrograms().map(({ name }) => name));
  for (const { job, path, bytes, fileBytes, packageBytes } of binaries) {
    assert.deepEqual([path, bytes], [null, null], job);
    assert.ok(fileBytes > 2 ** 20 && packageBytes > 100 * 2 ** 20 && packageBytes < 300 * 2 ** 20, job);
  }
});

Deno.test("where there is no base for binaries, or no such job, that is what is said, and what to do", async () => {
  const noBase = await compile(["sql", "--out", "data/state/test-binaries"], "/nowhere/denort");
  assert.equal(noBase.error?.kind, "precondition");
  assert.match(noBase.error?.advice ?? "", /DENORT_BIN/);
  const noJob = await compile(["sqll"], "/nowhere/denort");
  assert.deepEqual([noJob.error?.kind, noJob.error?.advice], ["configuration", "Did you mean sql?"]);
});

Deno.test({
  name: "deno compile packs a job as it is laid out, with its permissions",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const out = `data/state/test-${crypto.randomUUID()}`;
    try {
      // Any program will do as a base: what Deno packs is behind it, to be read, not run.
      const { binaries: [binary] = [] } = await compile(
        ["sql", "--out", out, "--hosts", "db.example:5432"],
        "/bin/true",
      );
      const packed = await Deno.readFile(`${root}${binary?.path}`);
      assert.deepEqual([binary?.path, binary?.bytes], [`${out}/weir-sql`, packed.length]);
      assert.ok(packed.length > (binary?.fileBytes ?? 0) + (binary?.packageBytes ?? 0));
      const text = new TextDecoder("latin1").decode(packed);
      for (const part of ["db.example:5432", "./data/state/postgresql/bin/postgres", "jobs/sql.ts", "duckdb.node"]) {
        assert.ok(text.includes(part), part);
      }
      assert.ok(!text.includes(`${root}data/lake`), "a binary may write where it runs, not where it was made");
    } finally {
      await Deno.remove(`${root}${out}`, { recursive: true });
    }
  },
});

Deno.test("a job of a user's own, which has lib/mod.ts for its work, is made of code and data that come with Weir", async () => {
  const { files } = await programParts("lib/mod.ts");
  assert.ok(files.includes("lib/notebook/project.ts"));
  assert.deepEqual(files.filter((path) => !/^(lib|data\/(models|payments))\//.test(path)), []);
});
