import assert from "node:assert/strict";
import { root } from "./source_tree.ts";

/** Runs `.ci/run` with a `deno` that says and exits as told. */
async function runCi(cases: string): Promise<{ code: number; last: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/.ci`);
    await Deno.mkdir(`${folder}/bin`);
    await Deno.copyFile(`${root}/.ci/run`, `${folder}/.ci/run`);
    const script = `#!/bin/sh\ncase "$*" in\n--version) echo "deno 2.9.6 (stable)" ;;\n${cases}\n*) exit 0 ;;\nesac\n`;
    await Deno.writeTextFile(`${folder}/bin/deno`, script, { mode: 0o755 });
    const PATH = `${folder}/bin:${Deno.env.get("PATH")}`;
    const command = new Deno.Command("bash", { args: [`${folder}/.ci/run`], env: { PATH }, stdin: "null" });
    const { code, stdout } = await command.output();
    return { code, last: new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1) ?? "" };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const good = `"task test") echo "ok | 7 passed (3 steps) | 0 failed | 2 ignored (1s)" ;;
"task test:"*) echo "ok | 1 passed | 0 failed (1s)" ;;`;

Deno.test("CI sums what the runners counted and ends with one line", async () => {
  assert.deepEqual(await runCi(good), { code: 0, last: "13 passed, 0 failed, 2 skipped" });
});

Deno.test("CI fails for a failed test, a failed check, a silent suite, an empty one, and one that dies", async () => {
  const broken = [
    [`"task pipeline"*) exit 1 ;;\n${good}`, "12 passed, 1 failed, 2 skipped"],
    [`"task test") echo "FAILED | 6 passed | 1 failed (1s)"; exit 1 ;;\n${good}`, "12 passed, 1 failed, 0 skipped"],
    [`"task ok") exit 1 ;;\n${good}`, "13 passed, 1 failed, 2 skipped"],
    [`"install --frozen") exit 1 ;;\n${good}`, "13 passed, 1 failed, 2 skipped"],
    [`"task test:crash") ;;\n${good}`, "12 passed, 1 failed, 2 skipped"],
    [
      `"task test:crash") echo "ok | 0 passed | 0 failed | 4 ignored (1s)" ;;\n${good}`,
      "12 passed, 1 failed, 6 skipped",
    ],
    [`"task test:crash") echo "ok | 1 passed | 0 failed (1s)"; exit 137 ;;\n${good}`, "13 passed, 1 failed, 2 skipped"],
  ] as const;
  for (const [cases, last] of broken) {
    const ended = await runCi(cases);
    assert.equal(ended.last, last);
    assert.notEqual(ended.code, 0, cases);
  }
});
