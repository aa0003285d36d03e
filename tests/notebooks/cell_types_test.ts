import assert from "node:assert/strict";
import { notebookNames } from "../style/source_tree.ts";
import { typeErrors } from "./cell_types.ts";
import { type NotebookFile, readNotebook } from "./notebook.ts";

Deno.test("the cells of every notebook have no type error", async () => {
  assert.equal(await typeErrors(await Promise.all(notebookNames().map((name) => readNotebook(name)))), "");
});

Deno.test("a type error is told with its notebook and its cell", async () => {
  const cell = { cell_type: "code", id: "one", metadata: {}, source: '\nconst one: number = "1";' } as const;
  const notebook = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
  const wrong: NotebookFile = { path: "notebooks/wrong.ipynb", text: "", notebook };
  const said = await typeErrors([wrong]);
  assert.match(said, /TS2322/);
  assert.match(said, /notebooks\/wrong\.ipynb, cell 1 "one" \(const one: number = "1";\)/);
});
