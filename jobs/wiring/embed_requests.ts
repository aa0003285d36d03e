/** What `--embed` asks for, held against the tables there are: a misspelt name would make vectors of nothing in silence. */
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { embedTextFrom, type TextDeclaration } from "../../lib/embed/text_declaration.ts";
import { WeirError } from "../../lib/errors.ts";
import type { TableColumns } from "../../lib/settings/setting.ts";

/** The text a dataset's vectors are made from. Throws `configuration` for a column that the table does not have. */
export function requestedText(requests: readonly TableColumns[], dataset: Dataset): TextDeclaration | undefined {
  const request = requests.find((candidate) => names(candidate, dataset));
  if (request === undefined) return undefined;
  const absent = request.columns.filter((name) => !dataset.columns.some((column) => column.name === name));
  if (absent.length === 0) return embedTextFrom(request.columns);
  throw new WeirError("configuration", `There is no column ${absent.map((name) => `"${name}"`).join(", ")} to embed`, {
    detail: { table: `${dataset.source.namespace}.${dataset.source.table}` },
    advice: "Write the columns of --embed as they are called in the lake table",
  });
}

/** Throws `configuration` for a request that speaks of none of the captured tables. */
export function requireTables(requests: readonly TableColumns[], datasets: readonly Dataset[]): void {
  const absent = requests.find((request) => !datasets.some((dataset) => names(request, dataset)));
  if (absent === undefined) return;
  throw new WeirError("configuration", `--embed names "${absent.table}", which is none of the captured tables`, {
    advice: "Write it as table or namespace.table, and let --tables match it",
  });
}

function names({ table }: TableColumns, { source }: Dataset): boolean {
  return table === source.table || table === `${source.namespace}.${source.table}`;
}
