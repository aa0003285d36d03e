/** From a statement that finds refused values to dead letters. */
import type { DuckDBValue } from "@duckdb/node-api";
import type { LetterDraft } from "../change/dead_letter.ts";
import type { TransformContext } from "../change/transform.ts";
import { identifier, literal } from "../engine/quote.ts";

/** The key columns of a row as JSON text, the form in which a dead letter names it; NULL for a table without a key. */
export function keyJsonSql(key: readonly string[]): string {
  if (key.length === 0) return "NULL";
  return `json_object(${key.map((name) => `${literal(name)}, ${identifier(name)}`).join(", ")})::VARCHAR`;
}

/**
 * Hands over a letter per row of a statement giving `ordinal` BIGINT, `key` VARCHAR or NULL, `name` VARCHAR or NULL (the
 * column), `reason` VARCHAR and `element` INTEGER or NULL. Rows are read a chunk at a time, since a bad release at the
 * source may refuse every one of them.
 */
export async function reportDeadLetters(statement: string, context: TransformContext): Promise<void> {
  const query = `SELECT ordinal, key, name, reason, element FROM (${statement}) ORDER BY ordinal, element, name`;
  await context.connection.eachChunk(query, (chunk) => {
    for (const row of chunk.getRows()) context.deadLetter(letterOf(row));
  });
}

function letterOf(row: readonly DuckDBValue[]): LetterDraft {
  const [ordinal = null, key = null, name = null, reason = null, element = null] = row;
  return {
    ordinal: ordinal as bigint,
    reason: String(reason),
    ...(key === null ? {} : { key: String(key) }),
    ...(name === null ? {} : { column: String(name) }),
    ...(element === null ? {} : { element: Number(element) }),
  };
}
