/** What users should hear where a table has vectors of another model than it gets from now on. */
import type { Sink } from "../../lib/change/sink.ts";
import { type EmbeddingModel, modelVersion } from "../../lib/embed/embedder.ts";
import type { Connection } from "../../lib/engine/connection.ts";

/**
 * One line for each other model that tables have vectors of. One row of a table is looked at, in the file that has the most: that
 * says it where the model has just been changed, and may no longer say it once most rows are of the new one. The metadata that is
 * loaded anyway does not tell: it has the first 16 characters of a model's name.
 */
export async function otherModelNotes(
  sinks: readonly Pick<Sink, "table" | "status" | "sample">[],
  { model, connection }: { readonly model: EmbeddingModel; readonly connection: Connection },
): Promise<readonly string[]> {
  const models = new Map<string, string>();
  for (const sink of sinks) {
    const table = `${sink.table.namespace}.${sink.table.name}`;
    if (models.has(table)) continue;
    const { columns = [] } = await sink.status();
    if (!columns.some(({ name }) => name === "embedding_model")) continue;
    using sample = await sink.sample();
    const found = sample && await connection.value(
      `SELECT embedding_model FROM (${sample.sql}) WHERE embedding_model IS NOT NULL LIMIT 1`,
    );
    if (typeof found === "string") models.set(table, found);
  }
  const now = modelVersion(model);
  const byModel = Map.groupBy(models.keys(), (table) => models.get(table));
  return [...byModel].filter(([found]) => found !== now).map(([found, tables]) =>
    `vectors of ${found} are in ${tables.join(" and ")}: rows that come or change get those of ${now}, with which no ` +
    "search compares the others; --resync gives all rows the new ones, the former --model goes on with the old ones"
  );
}
