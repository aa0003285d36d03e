/** What was measured last, kept beside the benchmarks: `results.json` for programs, `results.md` for people. */
import { fileURLToPath } from "node:url";
import { renderTable } from "../../lib/cli/table.ts";
import type { Figures } from "./measure.ts";

/** One measurement's outcome. */
export interface Outcome {
  readonly figures: Figures;
  readonly target: string;
  readonly date: string;
  readonly machine: string;
}

/** Replaces the kept outcomes of the same names and gives a table of the new ones. */
export async function keep(outcomes: Readonly<Record<string, Outcome>>): Promise<string> {
  const file = fileURLToPath(new URL("./results.json", import.meta.url));
  const before: Record<string, Outcome> = JSON.parse(await Deno.readTextFile(file).catch(() => "{}"));
  const all = { ...before, ...outcomes };
  await Deno.writeTextFile(file, `${JSON.stringify(all, null, 2)}\n`);
  await Deno.writeTextFile(file.replace(/json$/, "md"), markdown(all));
  const rows = Object.entries(outcomes).map(([name, { figures, target }]) => [name, text(figures), target]);
  return renderTable([{ title: "measurement" }, { title: "measured" }, { title: "target" }], rows);
}

function text(figures: Figures): string {
  return Object.entries(figures).map(([figure, value]) => `${figure} ${value}`).join(", ");
}

function markdown(outcomes: Readonly<Record<string, Outcome>>): string {
  const lines = Object.entries(outcomes).map(([name, { figures, target, date, machine }]) =>
    `| ${name} | ${text(figures)} | ${target} | ${date} | ${machine} |`
  );
  return `# What \`deno task bench\` measured last

Absolute figures are those of one machine on one day, which may have had other work; ratios were taken in one run.

| measurement | measured | target | date | machine |
|---|---|---|---|---|
${lines.join("\n")}
`;
}
