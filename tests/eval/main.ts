/**
 * What an embedding model's vectors are worth, on generated records that no model was fitted to. Prints a table; with `--record` it
 * writes it as `results.md` beside this file, too, which the documentation cites: that is for the shipped model and its teacher.
 */
import { fileURLToPath } from "node:url";
import { type JobContext, runJob } from "../../lib/cli/run_job.ts";
import { renderTable } from "../../lib/cli/table.ts";
import { settings as declared } from "../../lib/settings/declarations.ts";
import { modelSettings } from "../../jobs/wiring/capture_settings.ts";
import { startModel } from "../../jobs/wiring/embedding_model.ts";
import { type Dimension, evaluate } from "./evaluate.ts";

const resultsFile = fileURLToPath(new URL("./results.md", import.meta.url));

const own = {
  ...modelSettings,
  teacher: declared.evaluationTeacher,
  holders: { ...declared.holders, help: "Account holders among whom neighbours are looked for", defaultText: "5000" },
  payments: { ...declared.payments, help: "Payments among which neighbours are looked for", defaultText: "10000" },
  record: declared.evaluationRecord,
};

await runJob({
  name: "eval:embed",
  summary: "Measure what a model's vectors are worth, on generated records that no model was fitted to",
  settings: own,
  stops: "after the running batch",
  main: async (context: JobContext<typeof own>) => {
    const { settings, signal, progress, print } = context;
    const { holders, payments, teacher: teacherName } = settings;
    await using open = new AsyncDisposableStack();
    const model = await startModel(settings, context);
    open.defer(() => model.close());
    const teacher = teacherName && await startModel({ ...settings, model: teacherName }, context);
    if (teacher) open.defer(() => teacher.close());
    const note = (text: string) => progress.note(text);
    const measured = await evaluate({ model, ...(teacher && { teacher }), holders, payments, signal, note });
    const columns = [{ title: "measure" }, { title: "measured", align: "right" as const }, { title: "target" }];
    print(renderTable(columns, measured.map(cells)));
    if (settings.record) await Deno.writeTextFile(resultsFile, resultsPage(measured, settings));
    return { ok: true, measured };
  },
});

function cells({ name, value, target }: Dimension): readonly string[] {
  return [name, value.toFixed(3), target];
}

function resultsPage(
  measured: readonly Dimension[],
  { model, teacher = "none", holders, payments }: JobContext<typeof own>["settings"],
): string {
  return `# What \`deno task eval:embed --record\` measured last

Model \`${model}\`; teacher \`${teacher}\`; ${holders} account holders and ${payments} payments of a seed
that no model was fitted to. As measured, whatever it says.

| measure | measured | target |
|---|---|---|
${measured.map((dimension) => `| ${cells(dimension).join(" | ")} |`).join("\n")}
`;
}
