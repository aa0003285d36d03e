import assert from "node:assert/strict";
import { textFiles } from "./source_tree.ts";
import { complaints, examples } from "./text_rules.ts";

Deno.test("no file breaks a rule of the house", async () => {
  const files = await textFiles();
  assert.ok(files.length > 50, "the files are really there");
  assert.deepEqual(files.flatMap(complaints), []);
});

Deno.test("every rule finds what it looks for", () => {
  const broken = [
    { path: "lib/a.ts", text: 'const folder = "/ho' + 'me/me/lake";' },
    { path: "lib/a.ts", text: 'import { a } from "js' + 'r:@std/a";' },
    { path: "lib/a.ts", text: "// deno-lint-" + "ignore no-explicit-" + "any" },
    { path: "lib/a.ts", text: "// @ts-" + "ignore" },
    { path: "lib/a.ts", text: "// TO" + "DO" },
    { path: "README.md", text: "see http://regis" + "try.example/" },
    { path: "lib/util/a.ts", text: "" },
    { path: "lib/helpers.ts", text: "" },
    { path: "lib/aB.ts", text: "" },
    { path: "lib/a.ts", text: "\n".repeat(501) },
    { path: "lib/a_test.ts", text: "\n".repeat(601) },
    { path: "lib/a.ts", text: "/**\n * ```ts\n * f();\n * ```\n */" },
  ];
  for (const file of broken) assert.equal(complaints(file).length, 1, JSON.stringify(file).slice(0, 80));
  const sound = {
    path: "lib/a_b.ts",
    text: "/**\n * ```ts\n * assert.ok(f());\n * ```\n */\nexport const url = 'http://work/';\n",
  };
  assert.deepEqual(complaints(sound), []);
});

Deno.test("examples are found in comments and in Markdown", () => {
  assert.deepEqual(examples("/**\n * ```ts\n * a();\n * ```\n */"), [" * a();\n"]);
  assert.deepEqual(examples("# t\n```ts\na();\n```\n```sh\nb\n```\n"), ["a();\n"]);
});
