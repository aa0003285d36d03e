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
import type { JsonShape, TextDeclaration, TextPart } from "./text_declaration.ts";

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
 * that nested ones made the statement, and its time, grow exponentially.
 *
 * @throws {WeirError} `configuration` if a part's column holds bytes.
 */
export function recordTextSql(declaration: TextDeclaration, rows: RecordRows): string {
  const parts = declaration.parts.flatMap((part) => {
    const column = rows.columns.find((candidate) => candidate.name === part.column);
    return column === undefined ? [] : [partSql(part, { column, columns: rows.columns })];
  });
  const parsed = parts.flatMap((part) => part.parsed === undefined ? [] : [part.parsed]);
  const documents = parts.flatMap(({ document }) => document === undefined ? [] : [document]);
  const text = parts.length === 0 ? "''" : `concat_ws('. ', ${parts.map(({ sql }) => sql).join(",\n  ")})`;
  const empty = literal(declaration.emptyText);
  // Counting characters costs more than counting bytes, so bytes are asked first.
  const bounded = `CASE WHEN text = '' THEN ${empty} WHEN strlen(text) > ${maxTextCharacters}
    THEN left(text, ${maxTextCharacters}) ELSE text END`;
  return `SELECT _ordinal, text, left(md5(text), 16) AS hash FROM (
    SELECT _ordinal, ${bounded} AS text FROM (
    SELECT _ordinal, CASE WHEN NOT _delete THEN ${text} END AS text FROM (
    SELECT ${["*", ...documents].join(", ")} FROM (
    SELECT ${["*", ...parsed].join(", ")} FROM ${identifier(rows.from)}))))`;
}

/** A part of the text, and what the layers below must have computed for it: the document read, then its text. */
interface PartSql {
  readonly sql: string;
  readonly document?: string;
  readonly parsed?: string;
}

function partSql(
  part: TextPart,
  { column, columns }: { readonly column: Column; readonly columns: readonly Column[] },
): PartSql {
  const { kind } = column.type;
  const name = identifier(part.column);
  const label = literal(`${part.label}: `);
  const unlessEmpty = (value: string) => `CASE WHEN ${value} <> '' THEN ${label} || ${value} END`;
  if (kind === "binary") {
    throw new WeirError("configuration", `Cannot embed column "${part.column}": it holds bytes, not text`);
  }
  if (kind !== "string" && kind !== "list") return { sql: `${label} || ${name}::VARCHAR` };
  if (kind === "string" && part.json === undefined) return { sql: unlessEmpty(`trim(${name})`) };
  const value = identifier(`_text_${part.column}`);
  if (kind === "list") {
    return { sql: unlessEmpty(value), document: `array_to_string(${name}::VARCHAR[], ', ') AS ${value}` };
  }
  const { json = { values: [], arrays: [] } } = part;
  const projected = json.values.map((field) => field.column);
  if (json.arrays.length === 0 && projected.every((field) => columns.some((candidate) => candidate.name === field))) {
    return { sql: unlessEmpty(value), document: `${projectedSql(name, projected)} AS ${value}` };
  }
  const parsed = identifier(`_json_${part.column}`);
  return {
    sql: unlessEmpty(value),
    document: `CASE WHEN ${parsed} IS NULL THEN trim(${name}) ELSE ${shapeSql(parsed, json)} END AS ${value}`,
    // A malformed document would fail the whole statement.
    parsed: `CASE WHEN json_valid(${name}) THEN from_json(${name}, ${literal(structureOf(json))}) END AS ${parsed}`,
  };
}

/** Values that flattening has read out of the document already. */
function projectedSql(document: string, columns: readonly string[]): string {
  const values = columns.map((column) => `${identifier(column)}::VARCHAR`).join(", ");
  return `CASE WHEN coalesce(${values}) IS NOT NULL THEN concat_ws(', ', ${values})
    WHEN NOT json_valid(${document}) THEN trim(${document}) END`;
}

/** Values first, then each array's elements, out of a document read as {@linkcode structureOf} says. */
function shapeSql(document: string, shape: JsonShape): string {
  const field = (from: string, path: readonly string[]) => path.reduce((sql, key) => `${sql}[${literal(key)}]`, from);
  const fields = (from: string, paths: readonly (readonly string[])[]) =>
    paths.map((path) => field(from, path)).join(", ");
  const values = shape.values.length === 0
    ? []
    : [`concat_ws(', ', ${fields(document, shape.values.map(({ path }) => path))})`];
  const arrays = shape.arrays.filter(({ elements }) => elements.length > 0).map(({ path, elements }) => {
    const element = `concat_ws(' ', ${fields("element", elements)})`;
    return `array_to_string(list_transform(${field(document, path)}, lambda element: ${element}), '; ')`;
  });
  return `array_to_string(list_filter([${[...values, ...arrays].join(", ")}], lambda part: part <> ''), '; ')`;
}

/** DuckDB's JSON structure (`from_json`) of the parts of a document that a shape names; every leaf is read as text. */
function structureOf(shape: JsonShape): string {
  const root: JsonStructure = {};
  for (const { path } of shape.values) place(root, path, "VARCHAR");
  for (const { path, elements } of shape.arrays) {
    const element: JsonStructure = {};
    for (const leaf of elements) place(element, leaf, "VARCHAR");
    place(root, path, [element]);
  }
  return JSON.stringify(root);
}

type JsonStructure = { [key: string]: "VARCHAR" | JsonStructure | JsonStructure[] };

function place(into: JsonStructure, path: readonly string[], leaf: "VARCHAR" | JsonStructure[]): void {
  const [key, ...rest] = path;
  if (key === undefined) throw new TypeError("Cannot read a value at the root of a document");
  if (rest.length === 0) return void (into[key] = leaf);
  const held = into[key];
  const branch = typeof held === "object" && !Array.isArray(held) ? held : {};
  into[key] = branch;
  place(branch, rest, leaf);
}
