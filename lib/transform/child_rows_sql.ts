/** The statements behind child rows: elements with their places, values out of them, and what was refused. */
import type { Relation } from "../change/relation.ts";
import type { Column } from "../dataset/column.ts";
import { duckdbType } from "../dataset/column_type.ts";
import { jsonPath } from "../dataset/json_path.ts";
import { type ChildArray, type ChildTable, type ElementPlace, pathsOf } from "../dataset/projection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { keyJsonSql } from "./dead_letters.ts";
import { firstOf, refusalSql, scalarStringSql } from "./flatten_sql.ts";
import { holdsFractionSql, holdsLongNumberSql, quoteNumbersSql } from "./json_number.ts";
import { scalarSql } from "./json_scalar.ts";
import { shapeProblemSql } from "./json_shape.ts";

/** SELECT giving meta columns, the parent's key, `ordinal`, the child's columns, and `_suspect`: a value may be refused. */
export function childRowsSql(input: Relation, child: ChildTable): string {
  const key = input.definition.key.map(identifier);
  const values = child.columns.map((column) => `${valueSql(child, column)} AS ${identifier(column.name)}`);
  return `SELECT _ordinal, false AS _delete, _replaces, ${[...key, "ordinal", ...values].join(", ")},
    ${suspectSql(child)} AS _suspect FROM (${elementsSql(input, child)})`;
}

/** SELECT of letters for parents whose document or arrays cannot be read: one a parent, for the rows that are missing. */
export function unreadableParentsSql(input: Relation, child: ChildTable): string {
  const from = identifier(child.from);
  const problems = child.arrays.map(({ path }) => shapeProblemSql(from, { path, expected: "array" }));
  return `SELECT ordinal, key, NULL AS name, reason, NULL AS element FROM (
    SELECT _ordinal AS ordinal, ${keyJsonSql(input.definition.key)} AS key,
      array_to_string(list_distinct([${problems.join(", ")}]), '; ') AS reason
    FROM ${identifier(input.name)} WHERE NOT _delete AND ${from} IS NOT NULL) WHERE reason <> ''`;
}

/** SELECT of letters for refused values of the elements of some parents, given as a SELECT of their `_ordinal`. */
export function refusedElementsSql(
  input: Relation,
  options: { readonly child: ChildTable; readonly parents: string },
): string {
  const { child, parents } = options;
  const letters = child.columns.map((column) =>
    `{name: ${literal(column.name)}, reason: CASE WHEN ${valueSql(child, column)} IS NULL THEN ${
      byArraySql(child, (array) => elementReasonSql(array, column))
    } END}`
  );
  return `SELECT parent AS ordinal, key, letter.name AS name, letter.reason AS reason, element FROM (
    SELECT _ordinal AS parent, ordinal AS element, ${keyJsonSql([...input.definition.key, "ordinal"])} AS key,
      unnest([${letters.join(", ")}]) AS letter
    FROM (${elementsSql(input, child)}) WHERE _ordinal IN (${parents})) WHERE letter.reason IS NOT NULL`;
}

/** A row per element: `ordinal`, `_array` (which of the declared ones), `_element` as JSON and `_texts` of its paths. */
function elementsSql(input: Relation, child: ChildTable): string {
  const key = input.definition.key.map(identifier).join(", ");
  const lists = child.arrays.map(({ path }, index) =>
    `list_transform(json_extract(_document, ${literal(`${jsonPath(path)}[*]`)}),
      lambda element: {source: ${index}, element: element})`
  );
  const texts = byArraySql(child, (array) => {
    const paths = placesOf(child, array).flatMap(({ place }) => pathsOf(place)).map((path) => literal(jsonPath(path)));
    return paths.length === 0 ? undefined : `json_extract_string(_element, [${paths.join(", ")}])`;
  });
  return `SELECT *, ${texts} AS _texts
    FROM (SELECT _ordinal, _replaces, ${key}, ordinal, _entry.source AS _array, _entry.element AS _element
    FROM (SELECT *, unnest(_entries) AS _entry, unnest(range(len(_entries)))::INTEGER AS ordinal
    FROM (SELECT *, flatten([${lists.join(", ")}]) AS _entries
    FROM (SELECT _ordinal, _replaces, ${key}, ${exactDocumentSql(child)} AS _document
    FROM ${identifier(input.name)} WHERE NOT _delete AND json_valid(${identifier(child.from)})))))`;
}

/** An element keeps its numbers' digits only if the whole document's numbers are quoted before it is cut out. */
function exactDocumentSql(child: ChildTable): string {
  const from = identifier(child.from);
  const spelling = child.columns.some(({ type }) => type.kind === "string");
  const changed = spelling ? `${holdsLongNumberSql(from)} OR ${holdsFractionSql(from)}` : holdsLongNumberSql(from);
  return `CASE WHEN ${changed} THEN ${quoteNumbersSql(from)} ELSE ${from} END`;
}

function valueSql(child: ChildTable, column: Column): string {
  const type = duckdbType(column.type);
  const value = byArraySql(child, (array) => {
    const place = array.columns[column.name];
    if (place === undefined) return undefined;
    if ("constant" in place) return `${literal(place.constant)}::${type}`;
    return firstOf(
      textsOf(child, { array, column }).map(({ text, path }) =>
        column.type.kind === "string"
          ? scalarStringSql(text, { document: "_element", path })
          : scalarSql(text, column.type)
      ),
    );
  });
  return `CAST(${value} AS ${type})`;
}

/** Whether a value or the text it would come from is missing; the latter because a misshapen element has no texts. */
function suspectSql(child: ChildTable): string {
  const suspect = byArraySql(child, (array) => {
    const missing = placesOf(child, array).map(({ column }) => `${identifier(column.name)} IS NULL`);
    return missing.length === 0 ? undefined : missing.join(" OR ");
  });
  return `coalesce(${suspect}, false)`;
}

function elementReasonSql(array: ChildArray, column: Column): string | undefined {
  const place = array.columns[column.name];
  if (place === undefined || !("path" in place)) return undefined;
  return refusalSql("_element", place, column.type);
}

interface ColumnPlace {
  readonly column: Column;
  readonly place: ElementPlace;
}

/** The columns an array's elements hold. `_texts` has a text for every path of each, in this order. */
function placesOf(child: ChildTable, array: ChildArray): readonly ColumnPlace[] {
  return child.columns.flatMap((column) => {
    const place = array.columns[column.name];
    return place !== undefined && "path" in place ? [{ column, place }] : [];
  });
}

/** A column's texts in an array's elements, with the path of each. */
function textsOf(
  child: ChildTable,
  of: { readonly array: ChildArray; readonly column: Column },
): readonly { readonly text: string; readonly path: readonly string[] }[] {
  const texts = placesOf(child, of.array).flatMap(({ column, place }) =>
    pathsOf(place).map((path) => ({ column, path }))
  ).map((found, index) => ({ ...found, text: `_texts[${index + 1}]` }));
  return texts.filter(({ column }) => column === of.column);
}

/** One expression per array, chosen by the element's array; undefined stands for NULL. */
function byArraySql(child: ChildTable, expression: (array: ChildArray) => string | undefined): string {
  const cases = child.arrays.flatMap((array, index) => {
    const sql = expression(array);
    return sql === undefined ? [] : [`WHEN ${index} THEN ${sql}`];
  });
  return cases.length === 0 ? "NULL" : `CASE _array ${cases.join(" ")} END`;
}
