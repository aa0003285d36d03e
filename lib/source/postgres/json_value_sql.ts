/**
 * Values inside JSON columns in PostgreSQL's own JSON operators: the source side of projections and child tables.
 *
 * The policy: JSON `null` and an absent path are NULL (a count 0); an object or array where a scalar is expected, anything
 * but an object on the way to a value, and a scalar that the lake type cannot hold exactly are refused.
 */
import type { Column } from "../../dataset/column.ts";
import type { ScalarType } from "../../dataset/column_type.ts";
import {
  type ChildArray,
  type ChildTable,
  type ElementPlace,
  pathsOf,
  type Projection,
} from "../../dataset/projection.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { jsonScalarText } from "./json_scalar_sql.ts";
import type { ValueText } from "./value_text_sql.ts";

/** A JSON document in SQL: an expression of type json or jsonb, and which of the two. */
export interface JsonDocument {
  readonly sql: string;
  readonly type: "json" | "jsonb";
}

/** The document in a column of a source type such as `jsonb`. */
export function jsonDocument(sql: string, column: Column | undefined): JsonDocument {
  const type = column?.sourceType?.toLowerCase().trim();
  if (type !== "json" && type !== "jsonb") {
    throw new RangeError(`Cannot project out of column "${column?.name}": its source type is not json or jsonb`);
  }
  return { sql, type };
}

/** A projection's text. */
export function projectedText(projection: Projection, document: JsonDocument): ValueText {
  const type = projection.column.type;
  if (type.kind === "list") throw new RangeError(`Cannot project a list into column "${projection.column.name}"`);
  return projection.take === "count" ? elementCount(projection, document) : scalarOf(document, projection, type);
}

/** The rows of a child table as the SQL of a lateral subquery. */
export interface ChildRows {
  /** Gives `ordinal`, and columns named as the child's, each a text, each beside a boolean `<name> present`. */
  readonly from: string;
  /** A child column's text in the alias of the lateral subquery. */
  readonly text: (alias: string, column: string) => ValueText;
}

/** The elements of a child table's arrays, in order, `ordinal` counting from 0 through all of them. */
export function childRows(child: ChildTable, document: JsonDocument): ChildRows {
  const arrays = child.arrays.map((array, index) => arrayRows({ child, array, index }, document));
  const columns = child.columns.flatMap(({ name }) => [identifier(name), presence(name)]);
  return {
    from: `SELECT row_number() OVER (ORDER BY array_index, position) - 1 AS ordinal, ${columns.join(", ")} ` +
      `FROM (${arrays.join(" UNION ALL ")}) AS elements`,
    text: (alias, column) => ({
      text: `${alias}.${identifier(column)}`,
      present: `${alias}.${presence(column)}`,
      fallible: true,
    }),
  };
}

function arrayRows(
  place: { readonly child: ChildTable; readonly array: ChildArray; readonly index: number },
  document: JsonDocument,
): string {
  const element = { sql: "e.element", type: document.type } as const;
  const columns = place.child.columns.flatMap((column) => {
    const { text, present } = childValue(column, place.array, element);
    return [`${text} AS ${identifier(column.name)}`, `${present} AS ${presence(column.name)}`];
  });
  const value = at(document, place.array.path);
  // A set-returning function over something that is no array is an error; there is nothing to return, so give it an empty one.
  const array = `CASE ${document.type}_typeof(${value}) WHEN 'array' THEN ${value} ELSE '[]'::${document.type} END`;
  return `SELECT ${place.index} AS array_index, e.position, ${columns.join(", ")} ` +
    `FROM ${document.type}_array_elements(${array}) WITH ORDINALITY AS e (element, position)`;
}

function childValue(column: Column, array: ChildArray, element: JsonDocument): ValueText {
  const place = array.columns[column.name];
  if (place === undefined) return { text: "NULL::text", present: "false", fallible: false };
  if (column.type.kind === "list") throw new RangeError(`Cannot project a list into column "${column.name}"`);
  if ("constant" in place) {
    const text = jsonScalarText(`${literal(place.constant)}::text`, column.type);
    return { text, present: "true", fallible: true };
  }
  return scalarOf(element, place, column.type);
}

function presence(name: string): string {
  return identifier(`${name} present`);
}

function elementCount(projection: Projection, document: JsonDocument): ValueText {
  const value = at(document, projection.path);
  const kind = `${document.type}_typeof(${value})`;
  const counted = `WHEN ${kind} = 'array' THEN ${document.type}_array_length(${value})::text`;
  // Nothing there counts 0; something there that cannot be counted is refused.
  const nothing = `WHEN NOT ${isPresent(document, projection.path)} THEN '0'`;
  return { text: `CASE ${counted} ${nothing} END`, present: "true", fallible: true };
}

/** The first value that one of the paths gives. */
function scalarOf(document: JsonDocument, place: ElementPlace, type: ScalarType): ValueText {
  const values = pathsOf(place).map((path) => scalarAt(document, path, type));
  return {
    text: `coalesce(${values.map(({ text }) => text).join(", ")})`,
    present: `(${values.map(({ present }) => present).join(" OR ")})`,
    fallible: true,
  };
}

function scalarAt(document: JsonDocument, path: readonly string[], type: ScalarType): ValueText {
  const kind = `${document.type}_typeof(${at(document, path)})`;
  const text = `(${document.sql} #>> ${pathLiteral(path)})`;
  return {
    text: `CASE WHEN ${kind} IN ('string', 'number', 'boolean') THEN ${jsonScalarText(text, type)} END`,
    present: isPresent(document, path),
    fallible: true,
  };
}

/** Something other than JSON null is at the path, or something other than an object is on the way to it. */
function isPresent(document: JsonDocument, path: readonly string[]): string {
  const onTheWay = path.map((_, depth) =>
    `coalesce(${document.type}_typeof(${at(document, path.slice(0, depth))}) NOT IN ('object', 'null'), false)`
  );
  return `(${[`coalesce(${document.type}_typeof(${at(document, path)}) <> 'null', false)`, ...onTheWay].join(" OR ")})`;
}

function at(document: JsonDocument, path: readonly string[]): string {
  return path.length === 0 ? document.sql : `(${document.sql} #> ${pathLiteral(path)})`;
}

function pathLiteral(path: readonly string[]): string {
  return `ARRAY[${path.map(literal).join(", ")}]::text[]`;
}
