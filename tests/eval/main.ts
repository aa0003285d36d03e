/**
 * What an embedding model's vectors are worth, on generated records that no model was fitted to. Prints a table and writes it as
 * `results.md` beside this file.
 *
 * `deno task eval:embed --model ./data/models/weir --teacher ./all-MiniLM-L6-v2`: agreement with the teacher is left out without
 * one. `--holders` and `--payments` are the pools in which neighbours are looked for.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { renderTable } from "../../lib/cli/table.ts";
import { type Dimension, evaluate } from "./evaluate.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "./data/models/weir" },
    teacher: { type: "string" },
    holders: { type: "string", default: "5000" },
    payments: { type: "string", default: "10000" },
    cache: { type: "string", default: "data/state/vectors/cache.sqlite" },
  },
});

const found: readonly Dimension[] = await evaluate({
  model: values.model,
  ...(values.teacher === undefined ? {} : { teacher: values.teacher }),
  holders: Number(values.holders),
  payments: Number(values.payments),
  cache: values.cache,
  note: (text) => console.error(text),
});
const rows = found.map(({ name, value, target }) => [name, value.toFixed(3), target]);
console.log(renderTable([{ title: "measure" }, { title: "measured", align: "right" }, { title: "target" }], rows));
const machineless = `# What \`deno task eval:embed\` measured last

Model \`${values.model}\`; teacher \`${
  values.teacher ?? "none"
}\`; ${values.holders} account holders and ${values.payments} payments of a seed
that no model was fitted to. As measured, whatever it says.

| measure | measured | target |
|---|---|---|
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}
`;
await Deno.writeTextFile(fileURLToPath(new URL("./results.md", import.meta.url)), machineless);
