/** What users should hear where a table has vectors of another model than it gets from now on. */
import type { Sink } from "../../lib/change/sink.ts";
import { type EmbeddingModel, modelVersion } from "../../lib/embed/embedder.ts";
import type { Connection } from "../../lib/engine/connection.ts";

/**
 * One line for each table whose vectors are of another model. One row of a table is looked at: that says it where the model has just
 * been changed, and may no longer say it once rows of both are there. Not of Paimon tables: theirs are not read without a merge of
 * all of them.
 */
export async function otherModelNotes(
  sinks: readonly Pick<Sink, "table" | "status" | "scan">[],
  { model, connection }: { readonly model: EmbeddingModel; readonly connection: Connection },
): Promise<readonly string[]> {
  const notes = new Map<string, string>();
  for (const sink of sinks) {
    const table = `${sink.table.namespace}.${sink.table.name}`;
    if (sink.table.format === "paimon" || notes.has(table)) continue;
    const { columns = [] } = await sink.status();
    if (!columns.some(({ name }) => name === "embedding_model")) continue;
    using scan = await sink.scan();
    const found = scan && await connection.value(
      `SELECT embedding_model FROM (${scan.sql}) WHERE embedding_model IS NOT NULL LIMIT 1`,
    );
    if (typeof found !== "string" || found === modelVersion(model)) continue;
    notes.set(table, noteText(table, { found, now: modelVersion(model) }));
  }
  return [...notes.values()];
}

function noteText(table: string, { found, now }: { readonly found: string; readonly now: string }): string {
  return `${table} has vectors of ${found}: rows that come or change get those of ${now}, and no search compares the two; ` +
    "--resync gives all rows the new ones, the former --model goes on with the old ones";
}
