/**
 * The text of a record, built inside DuckDB: `Label: value` parts joined by `". "`, empty parts left out.
 *
 * Promise: the text depends on the row and the declaration alone; it is never empty and never longer than
 * {@linkcode maxTextCharacters}. A JSON column with a declared shape is rendered as its values (`12 Long Street, Cape Town`;
 * array elements as `FIRNZAJJ Savings; SBZAZAJJ Visa`), because keys and brackets would use up a model's word pieces; one
 * without a shape stands as it is.
 */
import type { Column } from "../dataset/column.ts";
import { identifier, literal } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import { shapeSql, structureOf, trimmedSql } from "./document_text.ts";
import { type PartSql, separator, templatePartSql } from "./template_text.ts";
import type { TextDeclaration, TextPart } from "./text_declaration.ts";

/** Longer texts are cut: no model reads further, and one value may be as large as `maxValueBytes`. */
export const maxTextCharacters = 8192;

/** Where the text's columns are. */
export interface RecordRows {
  readonly columns: readonly Column[];
  /** Name of the table or view; it has `_ordinal` and `_delete` too. */
  readonly from: string;
}

/**
 * A SELECT giving `_ordinal`, `text` (NULL for a delete) and `hash` (first 16 hexadecimal digits of the text's MD5: enough to
 * tell two versions of one row apart), a row per row and in their order. Parts whose column is missing are left out.
 *
 * Each layer computes its values once and the next only refers to them: `nullif` and the like name their argument twice, so
 * that nested ones made the statement, and its time, grow exponentially. Labels and values are pieces of one `concat`, which
 * took less than half the time of joining `label || value` (25 parts, DuckDB 1.5.5: 1.0 µs a row against 2.4).
 *
 * @throws {WeirError} `configuration` if a part's column holds bytes.
 */
export function recordTextSql(declaration: TextDeclaration, rows: RecordRows): string {
  const parts = declaration.parts.flatMap((part) => {
    if ("values" in part) return templatePartSql(part, { columns: rows.columns, parts: declaration.parts });
    const column = rows.columns.find((candidate) => candidate.name === part.column);
    return column === undefined ? [] : [partSql(part, { column, columns: rows.columns })];
  });
  const parsed = new Set(parts.flatMap((part) => part.parsed ?? []));
  const values = parts.flatMap(({ value }) => value === undefined ? [] : [value]);
  const pieces = parts.length === 0 ? "''" : `concat(${parts.map(({ pieces }) => pieces).join(",\n  ")})`;
  // Every part begins with the separator. Counting characters costs more than counting bytes, so bytes are asked first.
  const first = separator.length + 1;
  return `SELECT _ordinal, text, left(md5(text), 16) AS hash FROM (
    SELECT _ordinal, CASE WHEN _delete THEN NULL WHEN joined = '' THEN ${literal(declaration.emptyText)}
      WHEN strlen(joined) > ${maxTextCharacters} THEN substr(joined, ${first}, ${maxTextCharacters})
      ELSE substr(joined, ${first}) END AS text FROM (
    SELECT _ordinal, _delete, ${pieces} AS joined FROM (
    SELECT ${["*", ...values].join(", ")} FROM (
    SELECT ${["*", ...parsed].join(", ")} FROM ${identifier(rows.from)}))))`;
}

function partSql(
  part: TextPart,
  { column, columns }: { readonly column: Column; readonly columns: readonly Column[] },
): PartSql {
  const { kind } = column.type;
  const name = identifier(part.column);
  const label = literal(`${separator}${part.label}: `);
  if (kind === "binary") {
    throw new WeirError("configuration", `Cannot embed column "${part.column}": it holds bytes, not text`);
  }
  if (kind !== "string" && kind !== "list") return { pieces: `${label} || ${name}::VARCHAR` };
  const value = identifier(`_text_${part.column}`);
  const pieces = `CASE WHEN ${value} <> '' THEN ${label} END, ${value}`;
  if (kind === "list") return { pieces, value: `array_to_string(${name}::VARCHAR[], ', ') AS ${value}` };
  if (part.json === undefined) return { pieces, value: `${trimmedSql(name)} AS ${value}` };
  const projected = part.json.values.map((field) => field.column);
  if (
    part.json.arrays.length === 0 && projected.every((field) => columns.some((candidate) => candidate.name === field))
  ) {
    return { pieces, value: `${projectedSql(name, projected)} AS ${value}` };
  }
  const parsed = identifier(`_json_${part.column}`);
  return {
    pieces,
    value: `CASE WHEN ${parsed} IS NULL THEN trim(${name}) ELSE ${shapeSql(parsed, part.json)} END AS ${value}`,
    // A malformed document would fail the whole statement.
    parsed: `CASE WHEN json_valid(${name}) THEN from_json(${name}, ${
      literal(structureOf(part.json))
    }) END AS ${parsed}`,
  };
}

/** Values that flattening has read out of the document already. */
function projectedSql(document: string, columns: readonly string[]): string {
  const values = columns.map((column) => `${identifier(column)}::VARCHAR`).join(", ");
  return `CASE WHEN coalesce(${values}) IS NOT NULL THEN concat_ws(', ', ${values})
    WHEN NOT json_valid(${document}) THEN trim(${document}) END`;
}
