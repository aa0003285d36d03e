/** The statements of the embedding step. Texts, vectors and rows stand in the same order and are joined by position. */
import type { Relation } from "../change/relation.ts";
import { type EmbeddingModel, modelVersion } from "../embed/embedder.ts";
import { identifier, literal } from "../engine/quote.ts";

/**
 * SELECT giving a row per text, in their order: its `place` and `_ordinal`, and `vector` and `embedded_at` of the lake's row where that has
 * the same text, template and model. What stands beside the key in one row begins with `_weir_`, as no lake column does.
 */
export function reusableSql(
  input: Relation,
  options: {
    readonly texts: string;
    readonly current: string;
    readonly model: EmbeddingModel;
    readonly template: string;
  },
): string {
  const key = input.definition.key.map(identifier);
  const found =
    `SELECT fresh._weir_place AS place, lake.embedding_vector AS vector, lake.embedding_timestamp AS embedded_at
    FROM (SELECT ${
      key.map((name) => `rows.${name}`).join(", ")
    }, rows._delete, rows._replaces, texts.hash AS _weir_hash,
        texts.rowid AS _weir_place
      FROM ${identifier(input.name)} AS rows POSITIONAL JOIN ${identifier(options.texts)} AS texts) AS fresh
    JOIN (${options.current}) AS lake ON ${key.map((name) => `lake.${name} = fresh.${name}`).join(" AND ")}
    WHERE fresh._replaces AND NOT fresh._delete AND lake.embedding_text_hash = fresh._weir_hash
      AND lake.embedding_model = ${literal(modelVersion(options.model))}
      AND lake.embedding_dimensions = ${options.model.dimensions} AND lake.embedding_template = ${
      literal(options.template)
    }
      AND lake.embedding_vector IS NOT NULL`;
  return `SELECT texts.rowid AS place, texts._ordinal, vector, embedded_at FROM ${identifier(options.texts)} AS texts
    LEFT JOIN (${found}) AS found ON found.place = texts.rowid ORDER BY texts.rowid`;
}

/** What {@linkcode embeddedSql} puts together. */
export interface EmbeddedParts {
  readonly texts: string;
  /** A table with the one column `vector`. */
  readonly vectorsSql: string;
  /** Whether the texts' table says which of them have `failed`. */
  readonly hasFailures: boolean;
  readonly reusable?: string;
  readonly model: EmbeddingModel;
  readonly template: string;
  readonly embeddedAt: Date;
}

/**
 * SELECT giving the input's columns and the embedding columns. It keeps the input's order whatever is asked of it: another
 * join may give its rows in another order for each question, and who writes them asks first whether they must be sorted.
 */
export function embeddedSql(input: Relation, parts: EmbeddedParts): string {
  const columns = input.definition.columns.map(({ name }) => `rows.${identifier(name)}`);
  const reused = parts.reusable !== undefined;
  const now = `${literal(parts.embeddedAt.toISOString())}::TIMESTAMPTZ`;
  // Not asked of the vectors themselves: whoever writes the time would have to read them all.
  const freshAt = `CASE WHEN texts.hash IS NOT NULL${parts.hasFailures ? " AND NOT texts.failed" : ""} THEN ${now} END`;
  const embedded = (value: string) => `CASE WHEN texts.hash IS NOT NULL THEN ${value} END`;
  return `SELECT rows._ordinal, rows._delete, rows._replaces, ${columns.join(", ")},
    ${reused ? "coalesce(reusable.vector, vectors.vector)" : "vectors.vector"} AS embedding_vector,
    ${embedded(`${parts.model.dimensions}::INTEGER`)} AS embedding_dimensions,
    ${
    reused ? `CASE WHEN reusable.vector IS NULL THEN ${freshAt} ELSE reusable.embedded_at END` : freshAt
  } AS embedding_timestamp,
    ${embedded(literal(modelVersion(parts.model)))} AS embedding_model,
    ${embedded(literal(parts.template))} AS embedding_template,
    texts.hash AS embedding_text_hash
    FROM ${identifier(input.name)} AS rows
    POSITIONAL JOIN ${identifier(parts.texts)} AS texts POSITIONAL JOIN ${parts.vectorsSql} AS vectors
    ${reused ? `POSITIONAL JOIN ${identifier(parts.reusable!)} AS reusable` : ""}`;
}
