import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { objection } from "./rooms.ts";
import { root, typeScriptFiles } from "./source_tree.ts";

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly { readonly code?: Resolved; readonly type?: Resolved }[];
  }[];
}

interface Resolved {
  readonly specifier?: string;
}

interface Import {
  readonly from: string;
  readonly to: string;
}

/** Every import of every module, types and literal dynamic imports included, as Deno itself resolves them. */
async function imports(paths: readonly string[]): Promise<Import[]> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(entry, paths.map((path) => `import "${pathToFileURL(`${root}/${path}`)}";\n`).join(""));
    const args = ["info", "--json", "--config", `${root}/deno.json`, entry];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
    for (const { specifier, error } of modules) assert.equal(error, undefined, specifier);
    return modules.filter(({ specifier }) => !specifier.endsWith(entry)).flatMap(({ specifier, dependencies = [] }) =>
      dependencies.flatMap(({ code, type }) => [code?.specifier, type?.specifier])
        .filter((to) => to !== undefined).map((to) => ({ from: fromRoot(specifier), to: fromRoot(to) }))
    );
  } finally {
    await Deno.remove(entry);
  }
}

function fromRoot(specifier: string): string {
  return specifier.replace(`${pathToFileURL(root)}/`, "");
}

function inLib(path: string): boolean {
  return path.startsWith("lib/") && path.endsWith(".ts");
}

Deno.test("imports go one way", async () => {
  const paths = (await typeScriptFiles()).map(({ path }) => path).filter((path) => /^(lib|jobs)\//.test(path));
  const all = await imports(paths);
  assert.ok(all.filter(({ from, to }) => inLib(from) && inLib(to)).length > 50, "the graph is really there");
  const wrong = all.filter(({ from, to }) => inLib(from) && inLib(to)).flatMap(({ from, to }) => {
    const reason = objection(from.slice(4), to.slice(4));
    return reason === undefined ? [] : [`${from} imports ${to}: ${reason}`];
  });
  const jobs = all.filter(({ from, to }) => from.startsWith("jobs/") && to.startsWith("lib/testing/"));
  const outside = all.filter(({ from, to }) => from.startsWith("lib/") && /^(jobs|tests|notebooks)\//.test(to));
  for (const { from, to } of [...jobs, ...outside]) wrong.push(`${from} imports ${to}: the other way round`);
  assert.deepEqual([...new Set(wrong)], []);
});

Deno.test("a wrong import is objected to", () => {
  const wrong = [
    ["dataset/column.ts", "change/sink.ts"],
    ["table/iceberg/commit.ts", "table/paimon/commit.ts"],
    ["table/iceberg/commit.ts", "source/postgres/slot.ts"],
    ["pipeline/loop.ts", "sink/lake_sink.ts"],
    ["pipeline/loop.ts", "storage/local.ts"],
    ["domain/payments/rows.ts", "engine/quote.ts"],
    ["sink/lake_sink.ts", "testing/memory_sink.ts"],
    ["cli/help.ts", "change/mod.ts"],
    ["attic/a.ts", "errors.ts"],
  ] as const;
  for (const [from, to] of wrong) assert.notEqual(objection(from, to), undefined, `${from} → ${to}`);
  const right = [
    ["pipeline/loop.ts", "change/sink.ts"],
    ["table/iceberg/commit.ts", "table/parquet.ts"],
    ["sink/lake_sink_test.ts", "testing/memory_sink.ts"],
    ["mod.ts", "source/postgres/slot.ts"],
    ["storage/local.ts", "errors.ts"],
  ] as const;
  for (const [from, to] of right) assert.equal(objection(from, to), undefined, `${from} → ${to}`);
});
