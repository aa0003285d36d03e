/** The two statements of flatten: one that reads every document once, one that names what the first refused. */
import type { Relation } from "../change/relation.ts";
import { type ColumnType, duckdbType } from "../dataset/column_type.ts";
import { jsonPath } from "../dataset/json_path.ts";
import { type ElementPlace, pathsOf, type Projection } from "../dataset/projection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { keyJsonSql } from "./dead_letters.ts";
import { holdsDoubtfulNumberSql, holdsLongNumberSql, looksFractionalSql, quoteNumbersSql } from "./json_number.ts";
import { scalarSql } from "./json_scalar.ts";
import { shapeProblemSql } from "./json_shape.ts";

/** One JSON column and what is read out of it. The names are those of intermediate columns. */
interface JsonSource {
  readonly from: string;
  readonly values: readonly Projection[];
  readonly counts: readonly Projection[];
  readonly document: string;
  readonly texts: string;
  readonly lengths: string;
}

/** Column of the flattened rows: true where a value may be missing that should not be. Never false for such a row. */
export const suspectColumn = "_weir_suspect";

/** SELECT giving the input's columns, the projected ones and {@linkcode suspectColumn}, a row per input row in the same order. */
export function flattenSql(input: Relation, projections: readonly Projection[]): string {
  const sources = jsonSources(projections);
  const columns = [...input.definition.columns, ...projections.map(({ column }) => column)]
    .map(({ name }) => identifier(name));
  const values = projections.map((projection) => {
    const source = sources.find(({ from }) => from === projection.from)!;
    const value = isCount(projection) ? countSql(projection, source) : valueSql(projection, source);
    return `${value} AS ${identifier(projection.column.name)}`;
  });
  const exact = sources.filter((source) => source.values.length > 0).map(exactTextsSql);
  return `SELECT _ordinal, _delete, _replaces, ${columns.join(", ")},
    ${sources.map(suspectSql).join(" OR ")} AS ${suspectColumn}
    FROM (SELECT *, ${values.join(", ")}
    FROM (SELECT *${exact.length === 0 ? "" : ` REPLACE (${exact.join(", ")})`}
    FROM (SELECT *, ${sources.flatMap(readSql).join(", ")}
    FROM (SELECT *, ${sources.map(documentSql).join(", ")} FROM ${identifier(input.name)}))))`;
}

/**
 * A document that is none or no object, a text without a value, a step on the way that is no object. Many values are
 * rightly missing (a card has no account number), and to parse their documents again costs more than to flatten all.
 */
function suspectSql(source: JsonSource): string {
  const { from, document, values, counts } = source;
  const missing = (projection: Projection) => `${identifier(projection.column.name)} IS NULL`;
  const steps = new Set(
    values.flatMap(pathsOf).flatMap((path) => path.slice(1).map((_, depth) => jsonPath(path.slice(0, depth + 1)))),
  );
  const suspicions = [
    `${document} IS NULL`,
    ...(values.length === 0 ? [] : [`NOT starts_with(${document}, '{')`]),
    ...[...steps].map((path) => `json_type(${document}, ${literal(path)}) NOT IN ('OBJECT', 'NULL')`),
    ...values.map((projection) => `(coalesce(${textsOf(projection, source)}) IS NOT NULL AND ${missing(projection)})`),
    ...counts.map(missing),
  ];
  const suspicious = suspicions.map((suspicion) => `coalesce(${suspicion}, false)`).join(" OR ");
  return `(NOT _delete AND ${identifier(from)} IS NOT NULL AND (${suspicious}))`;
}

/** SELECT over the suspect rows giving what {@linkcode import("./dead_letters.ts").reportDeadLetters} wants. */
export function refusedSql(flattened: Relation, projections: readonly Projection[]): string {
  const missing = (projection: Projection) =>
    `(${identifier(projection.from)} IS NOT NULL AND ${identifier(projection.column.name)} IS NULL)`;
  const letters = projections.map((projection) =>
    `{name: ${literal(projection.column.name)}, reason: CASE WHEN ${missing(projection)} THEN ${
      reasonSql(projection)
    } END}`
  );
  return `SELECT ordinal, key, letter.name AS name, letter.reason AS reason, NULL AS element FROM (
    SELECT _ordinal AS ordinal, ${keyJsonSql(flattened.definition.key)} AS key, unnest([${
    letters.join(", ")
  }]) AS letter
    FROM ${identifier(flattened.name)} WHERE ${suspectColumn}) WHERE letter.reason IS NOT NULL`;
}

function isCount(projection: Projection): boolean {
  return projection.take === "count";
}

function jsonSources(projections: readonly Projection[]): readonly JsonSource[] {
  return [...new Set(projections.map(({ from }) => from))].map((from, index) => {
    const own = projections.filter((projection) => projection.from === from);
    return {
      from,
      values: own.filter((projection) => !isCount(projection)),
      counts: own.filter(isCount),
      document: `_weir_document_${index}`,
      texts: `_weir_texts_${index}`,
      lengths: `_weir_lengths_${index}`,
    };
  });
}

/** NULL for what is no JSON, since one malformed document would fail the whole statement. */
function documentSql({ from, document }: JsonSource): string {
  return `CASE WHEN json_valid(${identifier(from)}) THEN ${identifier(from)} END AS ${document}`;
}

function readSql({ document, values, counts, texts, lengths }: JsonSource): readonly string[] {
  return [
    ...(values.length === 0 ? [] : [`${textsSql(document, values)} AS ${texts}`]),
    ...(counts.length === 0 ? [] : [`json_array_length(${document}, ${pathList(counts)}) AS ${lengths}`]),
  ];
}

function textsSql(document: string, values: readonly Projection[]): string {
  return `json_extract_string(${document}, ${pathList(values)})`;
}

function pathList(projections: readonly Projection[]): string {
  return `[${projections.flatMap(pathsOf).map((path) => literal(jsonPath(path))).join(", ")}]`;
}

/** The texts, read again from a document whose numbers are quoted where a double may have changed one of them. */
function exactTextsSql({ document, values, texts }: JsonSource): string {
  const types = values.flatMap((projection) => pathsOf(projection).map(() => projection.column.type));
  const changed = types.flatMap(({ kind }, index) =>
    kind === "string" ? [looksFractionalSql(`${texts}[${index + 1}]`)] : []
  );
  return `CASE WHEN ${holdsDoubtfulNumberSql(document)} AND (${[holdsLongNumberSql(document), ...changed].join(" OR ")})
    THEN ${textsSql(quoteNumbersSql(document), values)} ELSE ${texts} END AS ${texts}`;
}

function valueSql(projection: Projection, source: JsonSource): string {
  const { type } = projection.column;
  const texts = textsOf(projection, source);
  return firstOf(
    pathsOf(projection).map((path, index) => {
      const text = texts[index]!;
      return type.kind === "string"
        ? scalarStringSql(text, { document: source.document, path })
        : scalarSql(text, type);
    }),
  );
}

/** The texts read for a projection, one for each of its paths. */
function textsOf(projection: Projection, { values, texts }: JsonSource): readonly string[] {
  const first = values.slice(0, values.indexOf(projection)).flatMap(pathsOf).length + 1;
  return pathsOf(projection).map((_, index) => `${texts}[${first + index}]`);
}

/** The first expression that is not NULL. */
export function firstOf(expressions: readonly string[]): string {
  return expressions.length === 1 ? expressions.join() : `coalesce(${expressions.join(", ")})`;
}

/** A string that is not the text of an object or array; looked up only where it begins like one. */
export function scalarStringSql(
  text: string,
  place: { readonly document: string; readonly path: readonly string[] },
): string {
  const kind = `json_type(${place.document}, ${literal(jsonPath(place.path))})`;
  return `CASE WHEN starts_with(${text}, '{') OR starts_with(${text}, '[') THEN CASE WHEN ${kind} NOT IN ('OBJECT', 'ARRAY') THEN ${text} END
    ELSE ${text} END`;
}

function countSql(projection: Projection, source: JsonSource): string {
  const length = `${source.lengths}[${source.counts.indexOf(projection) + 1}]`;
  const from = identifier(source.from);
  const problem = shapeProblemSql(from, { path: projection.path, expected: "array" });
  return `CASE WHEN ${length} > 0 THEN ${length} WHEN _delete THEN NULL WHEN ${problem} IS NULL THEN 0 END
    ::${duckdbType(projection.column.type)}`;
}

function reasonSql(projection: Projection): string {
  const from = identifier(projection.from);
  if (isCount(projection)) return shapeProblemSql(from, { path: projection.path, expected: "array" });
  return refusalSql(from, projection, projection.column.type);
}

/** Why a document gives no value of a type at a place; NULL where there is nothing. */
export function refusalSql(document: string, place: ElementPlace, type: ColumnType): string {
  return firstOf(
    pathsOf(place).map((path) =>
      `coalesce(${shapeProblemSql(document, { path, expected: "scalar" })},
    CASE WHEN json_extract_string(${document}, ${literal(jsonPath(path))}) IS NOT NULL
    THEN ${literal(`${jsonPath(path)}: not held exactly by ${duckdbType(type)}`)} END)`
    ),
  );
}
