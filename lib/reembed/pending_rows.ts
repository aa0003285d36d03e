/** Which rows of a table have no vector of a model yet, and which of its vectors are of rows that have left. */
import type { Column } from "../dataset/column.ts";
import { type EmbeddingModel, modelVersion } from "../embed/embedder.ts";
import { recordTextSql } from "../embed/record_text.ts";
import type { TextDeclaration } from "../embed/text_declaration.ts";
import { identifier, literal } from "../engine/quote.ts";

/** A table, and the vectors that stand beside it. */
export interface VectorsBeside {
  readonly key: readonly string[];
  /** The key's columns and those that the text is made from. */
  readonly columns: readonly Column[];
  readonly text: TextDeclaration;
  readonly model: EmbeddingModel;
  /** Name of the view over the table's rows that {@linkcode rowsViewSql} gives. */
  readonly rows: string;
  /** SELECT of the key and the embedding columns; undefined where there are none yet. */
  readonly vectors: string | undefined;
}

/** The view's SELECT. The whole row goes where {@linkcode recordTextSql} passes on a row's ordinal, so it stays beside its text. */
export function rowsViewSql(scan: string, columns: readonly Column[]): string {
  const fields = columns.map(({ name }) => `${identifier(name)} := ${identifier(name)}`).join(", ");
  return `SELECT struct_pack(${fields}) AS _ordinal, false AS _delete, * FROM (${scan})`;
}

/**
 * SELECT of the rows without a vector of their present text, in this model and template: the columns, and `_replaces` where there
 * is one of another text, model or template. What stands beside the key in one row begins with `_weir_`, as no lake column does.
 */
export function pendingSql(beside: VectorsBeside): string {
  const texts = recordTextSql(beside.text, { columns: beside.columns, from: beside.rows });
  const fresh = `SELECT _ordinal AS _weir_row, hash AS _weir_hash FROM (${texts})`;
  if (beside.vectors === undefined) return `SELECT _weir_row.*, false AS _replaces FROM (${fresh})`;
  const { model, text } = beside;
  const isOurs = `embedding_model = ${literal(modelVersion(model))} AND embedding_dimensions = ${model.dimensions}
    AND embedding_template = ${literal(text.version)}`;
  const held = `SELECT ${
    names(beside.key)
  }, true AS _weir_held, CASE WHEN ${isOurs} THEN embedding_text_hash END AS _weir_held_hash
    FROM (${beside.vectors})`;
  return `SELECT _weir_row.*, coalesce(_weir_held, false) AS _replaces FROM (${fresh}) AS fresh LEFT JOIN (${held}) AS held
    ON ${beside.key.map((name) => `fresh._weir_row[${literal(name)}] = held.${identifier(name)}`).join(" AND ")}
    WHERE _weir_held_hash IS DISTINCT FROM _weir_hash`;
}

/** SELECT of the keys whose row has left the table. */
export function departedSql({ key, rows, vectors }: VectorsBeside & { readonly vectors: string }): string {
  return `SELECT ${names(key)} FROM (${vectors}) AS held
    ANTI JOIN ${identifier(rows)} AS present ON ${
    key.map((name) => `held.${identifier(name)} = present.${identifier(name)}`).join(" AND ")
  }`;
}

function names(columns: readonly string[]): string {
  return columns.map(identifier).join(", ");
}
