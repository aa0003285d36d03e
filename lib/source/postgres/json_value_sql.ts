/**
 * Values inside JSON columns in PostgreSQL's own JSON operators: the source side of projections and child tables.
 *
 * The policy: JSON `null` and an absent path are NULL; an object or array where a scalar is expected, a text where a number
 * is, and a number that the lake type cannot hold exactly are refused.
 */
import type { Column } from "../../dataset/column.ts";
import type { ScalarType } from "../../dataset/column_type.ts";
import type { ChildArray, ChildTable, Projection } from "../../dataset/projection.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { acceptedSql, scalarText, type ValueText } from "./value_text_sql.ts";

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
  return projection.take === "count" ? elementCount(projection, document) : scalarAt(document, projection.path, type);
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
  if ("constant" in place) return { text: `${literal(place.constant)}::text`, present: "true", fallible: false };
  if (column.type.kind === "list") throw new RangeError(`Cannot project a list into column "${column.name}"`);
  return scalarAt(element, place.path, column.type);
}

function presence(name: string): string {
  return identifier(`${name} present`);
}

function elementCount(projection: Projection, document: JsonDocument): ValueText {
  const value = at(document, projection.path);
  const kind = `${document.type}_typeof(${value})`;
  const length = `CASE WHEN ${kind} = 'array' THEN ${document.type}_array_length(${value})::text ` +
    `WHEN coalesce(${kind}, 'null') = 'null' THEN '0' END`;
  return { text: length, present: "true", fallible: true };
}

function scalarAt(document: JsonDocument, path: readonly string[], type: ScalarType): ValueText {
  const value = at(document, path);
  const kind = `${document.type}_typeof(${value})`;
  const text = `(${document.sql} #>> ${pathLiteral(path)})`;
  return {
    text: `CASE ${kind} ${scalarBranches(text, type)} END`,
    present: `coalesce(${kind} <> 'null', false)`,
    fallible: true,
  };
}

/** WHEN branches by JSON type; a type without a branch is refused. */
function scalarBranches(text: string, type: ScalarType): string {
  switch (type.kind) {
    case "string":
      return `WHEN 'string' THEN ${text} WHEN 'number' THEN ${text} WHEN 'boolean' THEN ${text}`;
    case "boolean":
      return `WHEN 'boolean' THEN ${scalarText(`(${text})::boolean`, type)}`;
    case "int32":
    case "int64":
    case "decimal":
    case "float32":
    case "float64":
      return `WHEN 'number' THEN CASE WHEN ${numberFits(`${text}::numeric`, type)} THEN ${numberText(text, type)} END`;
    default:
      throw new RangeError(`Cannot project JSON into the type ${type.kind}: declare it as a string`);
  }
}

const integerBounds = { int32: ["-2147483648", "2147483647"], int64: ["-9223372036854775808", "9223372036854775807"] };

/** Smallest normal and largest finite magnitudes (IEEE 754): PostgreSQL refuses what is outside, so it is asked first. */
const floatBounds = {
  float32: ["1.17549436e-38", "3.4028234e38"],
  float64: ["2.2250738585072014e-308", "1.7976931348623157e308"],
};

function numberFits(number: string, type: ScalarType): string {
  if (type.kind === "int32" || type.kind === "int64") {
    const [low, high] = integerBounds[type.kind];
    return `${number} = trunc(${number}) AND ${number} BETWEEN ${low} AND ${high}`;
  }
  if (type.kind === "float32" || type.kind === "float64") {
    const [low, high] = floatBounds[type.kind];
    return `${number} = 0 OR abs(${number}) BETWEEN ${low}::numeric AND ${high}::numeric`;
  }
  return acceptedSql(number, type) ?? "true";
}

function numberText(text: string, type: ScalarType): string {
  if (type.kind === "int32" || type.kind === "int64") return `trunc(${text}::numeric)::bigint::text`;
  return scalarText(`${text}::numeric`, type);
}

function at(document: JsonDocument, path: readonly string[]): string {
  return path.length === 0 ? document.sql : `(${document.sql} #> ${pathLiteral(path)})`;
}

function pathLiteral(path: readonly string[]): string {
  return `ARRAY[${path.map(literal).join(", ")}]::text[]`;
}
