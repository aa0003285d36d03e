/**
 * The text of a record, built inside DuckDB: `Label: value` parts joined by `". "`, empty parts left out.
 *
 * Promise: the text depends on the row and the declaration alone; it is never empty and never longer than
 * {@linkcode maxTextCharacters}. A JSON column with a declared shape is rendered as its values (`12 Long Street, Cape Town`;
 * array elements as `FIRNZAJJ Savings; SBZAZAJJ Visa`), because keys and brackets would use up a model's word pieces; one
 * without a shape stands as it is.
 */
import type { Column } from "../dataset/column.ts";
import type { ColumnType } from "../dataset/column_type.ts";
import { jsonPath } from "../dataset/json_path.ts";
import { identifier, literal } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import type { JsonShape, TextDeclaration, TextPart } from "./text_declaration.ts";

/** Longer texts are cut: no model reads further, and one value may be as large as `maxValueBytes`. */
export const maxTextCharacters = 8192;

/**
 * A DuckDB expression over a table's columns giving the record's text. Parts whose column the table lacks are left out.
 *
 * @throws {WeirError} `configuration` if a part's column holds bytes.
 */
export function textSql(declaration: TextDeclaration, columns: readonly Column[]): string {
  const parts = declaration.parts.flatMap((part) => {
    const column = columns.find((candidate) => candidate.name === part.column);
    return column === undefined ? [] : [`${literal(`${part.label}: `)} || ${valueSql(part, column.type)}`];
  });
  if (parts.length === 0) return literal(declaration.emptyText);
  const text = `concat_ws('. ', ${parts.join(",\n  ")})`;
  return `coalesce(nullif(${text}, ''), ${literal(declaration.emptyText)})`;
}

/** A text that may be too long, cut. Counting characters costs more than counting bytes, so bytes are asked first. */
export function boundedTextSql(text: string): string {
  return `CASE WHEN strlen(${text}) > ${maxTextCharacters} THEN left(${text}, ${maxTextCharacters}) ELSE ${text} END`;
}

/** First 16 hexadecimal digits of the text's MD5: enough to tell two versions of one row apart. */
export function textHashSql(text: string): string {
  return `left(md5(${text}), 16)`;
}

function valueSql(part: TextPart, type: ColumnType): string {
  const name = identifier(part.column);
  if (type.kind === "binary") {
    throw new WeirError("configuration", `Cannot embed column "${part.column}": it holds bytes, not text`);
  }
  if (type.kind === "list") return `nullif(${joined(`${name}::VARCHAR[]`, ", ")}, '')`;
  if (type.kind !== "string") return `${name}::VARCHAR`;
  if (part.json === undefined) return `nullif(trim(${name}), '')`;
  return `nullif(CASE WHEN json_valid(${name}) THEN ${shapeSql(name, part.json)} ELSE trim(${name}) END, '')`;
}

function shapeSql(document: string, shape: JsonShape): string {
  const values = shape.values.length === 0
    ? []
    : [joined(`json_extract_string(${document}, ${pathList(shape.values)})`, ", ")];
  const arrays = shape.arrays.filter(({ elements }) => elements.length > 0).map(({ path, elements }) => {
    const element = joined(`json_extract_string(element, ${pathList(elements)})`, " ");
    const all = `json_extract(${document}, ${literal(`${jsonPath(path)}[*]`)})`;
    return joined(`list_transform(${all}, lambda element: ${element})`, "; ");
  });
  return `concat_ws('; ', ${[...values, ...arrays].map((text) => `nullif(${text}, '')`).join(", ")})`;
}

/** The values of a list that are neither NULL nor empty, as one text. */
function joined(list: string, separator: string): string {
  return `array_to_string(list_filter(${list}, lambda value: value <> ''), ${literal(separator)})`;
}

function pathList(paths: readonly (readonly string[])[]): string {
  return `[${paths.map((path) => literal(jsonPath(path))).join(", ")}]`;
}
