/** What the vectors of a lake table are made from, and where those of another model stand. */
import type { Scan } from "../../lib/change/sink.ts";
import type { Dataset, TableDefinition } from "../../lib/dataset/dataset.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { type EmbeddingModel, modelVersion } from "../../lib/embed/embedder.ts";
import {
  datasetText,
  embedTextFrom,
  recordedColumns,
  type TextDeclaration,
  textForms,
} from "../../lib/embed/text_declaration.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import type { TableColumns } from "../../lib/settings/setting.ts";
import { requestedText } from "./embed_requests.ts";

/** Where it is looked for, the first first. */
export interface TextSources {
  readonly requests: readonly TableColumns[];
  /** The table's newest snapshot: its rows name the template of their vectors. */
  readonly scan: () => Promise<Scan>;
  readonly connection: Connection;
}

/** The text by which a table's rows are embedded. Undefined: nobody says. Throws `configuration` for a column that it does not have. */
export async function textOf(
  table: Pick<TableDefinition, "namespace" | "name" | "columns" | "key">,
  { requests, scan, connection }: TextSources,
): Promise<TextDeclaration | undefined> {
  const { namespace, name, columns } = table;
  const dataset: Dataset = { ...table, source: { namespace, table: name } };
  const requested = requestedText(requests, dataset);
  if (requested !== undefined) return requested;
  const declared = [accountHolders, transactions].find((each) => each.namespace === namespace && each.name === name);
  const template = columns.some((column) => column.name === "embedding_template")
    ? await recordedTemplate({ scan, connection })
    : "";
  if (declared !== undefined) return declaredText(declared, template);
  const recorded = recordedColumns(template);
  return recorded === undefined ? undefined : embedTextFrom(recorded);
}

async function recordedTemplate({ scan, connection }: Omit<TextSources, "requests">): Promise<string> {
  using rows = await scan();
  const template = await connection.value(
    `SELECT embedding_template FROM (${rows.sql}) WHERE embedding_template IS NOT NULL LIMIT 1`,
  );
  return String(template ?? "");
}

/** The text that the table's vectors are of, or that new ones would be of. */
function declaredText(dataset: Dataset, template: string): TextDeclaration | undefined {
  return textForms.map((form) => datasetText(dataset, form)).find((text) => text?.version === template) ??
    datasetText(dataset);
}

/** Below a lake: the folder of the vectors of a model. */
export function vectorFolder(model: EmbeddingModel): string {
  const name = `${modelVersion(model)}-${model.dimensions}`.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, "_");
  return `vectors/${name}`;
}
