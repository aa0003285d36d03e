/** The statements of flatten: one that reads every document once, one that puts its columns beside the rows, one that names what was refused. */
import type { Relation } from "../change/relation.ts";
import { type ColumnType, duckdbType } from "../dataset/column_type.ts";
import { jsonPath } from "../dataset/json_path.ts";
import { type ElementPlace, pathsOf, type Projection } from "../dataset/projection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { keyJsonSql } from "./dead_letters.ts";
import { holdsDoubtfulNumberSql, holdsLongNumberSql, looksFractionalSql, quoteNumbersSql } from "./json_number.ts";
import { scalarSql } from "./json_scalar.ts";
import { shapeProblemSql } from "./json_shape.ts";
import { isPlainObjectSql, plainTextsOf, plainTextsSql, readsFlatObject } from "./plain_object.ts";

/** One JSON column and what is read out of it. The names are those of intermediate columns. */
interface JsonSource {
  readonly from: string;
  readonly values: readonly Projection[];
  readonly counts: readonly Projection[];
  readonly document: string;
  readonly texts: string;
  readonly lengths: string;
  /** Whether a document is a plain object and, if so, its texts. Undefined where values stand deeper than at its own keys. */
  readonly plain?: { readonly flag: string; readonly texts: string };
}

/** Column of the flattened rows: true where a value may be missing that should not be. Never false for such a row. */
export const suspectColumn = "_weir_suspect";

/**
 * SELECT giving `_ordinal`, the projected columns and {@linkcode suspectColumn}, a row per input row in the same order. The input's
 * own columns stay where they are: to copy 40 of them cost as much as a quarter of reading the documents.
 */
export function projectedSql(input: Relation, projections: readonly Projection[]): string {
  const sources = jsonSources(projections);
  const columns = projections.map(({ column }) => identifier(column.name));
  const values = projections.map((projection) => {
    const source = sources.find(({ from }) => from === projection.from)!;
    const value = isCount(projection) ? countSql(projection, source) : scalarValueSql(projection, source);
    return `${value} AS ${identifier(projection.column.name)}`;
  });
  const exact = sources.filter((source) => source.values.length > 0).map(exactTextsSql);
  return `SELECT _ordinal, ${columns.join(", ")},
    ${sources.map(suspectSql).join(" OR ")} AS ${suspectColumn}
    FROM (SELECT *, ${values.join(", ")}
    FROM (SELECT *${exact.length === 0 ? "" : ` REPLACE (${exact.join(", ")})`}
    FROM (SELECT *, ${sources.flatMap(readSql).join(", ")}
    FROM (SELECT *, ${sources.map(documentSql).join(", ")}
    FROM (SELECT *${sources.map(plainSql).join("")} FROM ${identifier(input.name)})))))`;
}

/** SELECT giving the input's columns, those of {@linkcode projectedSql} beside them and {@linkcode suspectColumn}. */
export function flattenedSql(
  input: Relation,
  options: { readonly projections: readonly Projection[]; readonly projected: string },
): string {
  const own = input.definition.columns.map(({ name }) => `rows.${identifier(name)}`);
  const added = options.projections.map(({ column }) => `projected.${identifier(column.name)}`);
  return `SELECT rows._ordinal, rows._delete, rows._replaces, ${[...own, ...added].join(", ")},
    projected.${suspectColumn}
    FROM ${identifier(input.name)} AS rows POSITIONAL JOIN ${identifier(options.projected)} AS projected`;
}

/**
 * A document that is none or no object, a text without a value, a step on the way that is no object. Many values are
 * rightly missing (a card has no account number), and to parse their documents again costs more than to flatten all.
 */
function suspectSql(source: JsonSource): string {
  const { plain, values } = source;
  const plainly = plain === undefined ? [] : values.filter(({ column }) => column.type.kind !== "string")
    .map((projection) => unreadSql(projection, plainTextsOf(plain.texts, projection)));
  const suspicious = unlessPlain(source, { plainly: anyOf(plainly), otherwise: anyOf(suspicionsOf(source)) });
  return `(NOT _delete AND ${identifier(source.from)} IS NOT NULL AND ${suspicious})`;
}

function suspicionsOf(source: JsonSource): readonly string[] {
  const { document, values, counts } = source;
  const steps = new Set(
    values.flatMap(pathsOf).flatMap((path) => path.slice(1).map((_, depth) => jsonPath(path.slice(0, depth + 1)))),
  );
  return [
    `${document} IS NULL`,
    ...(values.length === 0 ? [] : [`NOT starts_with(${document}, '{')`]),
    ...[...steps].map((path) => `json_type(${document}, ${literal(path)}) NOT IN ('OBJECT', 'NULL')`),
    ...values.map((projection) => unreadSql(projection, textsOf(projection, source))),
    ...counts.map(({ column }) => `${identifier(column.name)} IS NULL`),
  ];
}

/** Condition: there is a text but no value. */
function unreadSql({ column }: Projection, texts: readonly string[]): string {
  return `(coalesce(${texts}) IS NOT NULL AND ${identifier(column.name)} IS NULL)`;
}

function anyOf(conditions: readonly string[]): string {
  return `(${["false", ...conditions.map((condition) => `coalesce(${condition}, false)`)].join(" OR ")})`;
}

function unlessPlain(
  { plain }: JsonSource,
  expressions: { readonly plainly: string; readonly otherwise: string },
): string {
  const { plainly, otherwise } = expressions;
  return plain === undefined ? otherwise : `CASE WHEN ${plain.flag} THEN ${plainly} ELSE ${otherwise} END`;
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
    const values = own.filter((projection) => !isCount(projection));
    const plain = { flag: `_weir_plain_${index}`, texts: `_weir_plain_texts_${index}` };
    return {
      from,
      values,
      ...(values.length === own.length && readsFlatObject(values) ? { plain } : {}),
      counts: own.filter(isCount),
      document: `_weir_document_${index}`,
      texts: `_weir_texts_${index}`,
      lengths: `_weir_lengths_${index}`,
    };
  });
}

function plainSql({ from, values, plain }: JsonSource): string {
  return plain === undefined ? "" : `, ${isPlainObjectSql(identifier(from), values)} AS ${plain.flag}`;
}

/** NULL for what is no JSON, since one malformed document would fail the whole statement. */
function documentSql(source: JsonSource): string {
  const from = identifier(source.from);
  const valid = `CASE WHEN json_valid(${from}) THEN ${from} END`;
  return `${unlessPlain(source, { plainly: from, otherwise: valid })} AS ${source.document}`;
}

function readSql(source: JsonSource): readonly string[] {
  const { document, values, counts, texts, lengths, plain } = source;
  const plainDocument = unlessPlain(source, { plainly: document, otherwise: "NULL" });
  const otherDocument = unlessPlain(source, { plainly: "NULL", otherwise: document });
  return [
    ...(plain === undefined ? [] : [`${plainTextsSql(plainDocument, values)} AS ${plain.texts}`]),
    ...(values.length === 0 ? [] : [`${textsSql(otherDocument, values)} AS ${texts}`]),
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
function exactTextsSql(source: JsonSource): string {
  const { document, values, texts } = source;
  const types = values.flatMap((projection) => pathsOf(projection).map(() => projection.column.type));
  const changed = types.flatMap(({ kind }, index) =>
    kind === "string" ? [looksFractionalSql(`${texts}[${index + 1}]`)] : []
  );
  const exact = `CASE WHEN ${holdsDoubtfulNumberSql(document)} AND (${
    [holdsLongNumberSql(document), ...changed].join(" OR ")
  })
    THEN ${textsSql(quoteNumbersSql(document), values)} ELSE ${texts} END`;
  return `${unlessPlain(source, { plainly: "NULL", otherwise: exact })} AS ${texts}`;
}

function scalarValueSql(projection: Projection, source: JsonSource): string {
  const plainTexts = source.plain === undefined ? [] : plainTextsOf(source.plain.texts, projection);
  const plainly = firstOf(plainTexts.map((text) => scalarSql(text, projection.column.type)));
  return unlessPlain(source, { plainly, otherwise: valueSql(projection, source) });
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
