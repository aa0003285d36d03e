/**
 * The statements of flatten: one that reads every document once, plainly; one that reads thoroughly what is left; one that puts
 * the columns beside the rows; one that names what was refused.
 */
import type { Relation } from "../change/relation.ts";
import { type ColumnType, duckdbType } from "../dataset/column_type.ts";
import { jsonPath } from "../dataset/json_path.ts";
import { type ElementPlace, pathsOf, type Projection } from "../dataset/projection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { keyJsonSql } from "./dead_letters.ts";
import { holdsDoubtfulNumberSql, holdsLongNumberSql, looksFractionalSql, quoteNumbersSql } from "./json_number.ts";
import { plainScalarSql, scalarSql } from "./json_scalar.ts";
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
  /** Whether a document is a plain object and, if so, its texts; where only such documents are read. */
  readonly plain?: { readonly flag: string; readonly texts: string };
}

/** Column beside flattened rows: true where a value may be missing that should not be. Never false for such a row. */
export const suspectColumn = "_weir_suspect";
/** Column beside flattened rows: true where a document is no plain object, or a value was not read out of one. */
export const unreadColumn = "_weir_unread";

/**
 * SELECT giving `_ordinal`, the projected columns, {@linkcode suspectColumn} and {@linkcode unreadColumn}, a row per input row in
 * the same order. Documents are read as plain objects wherever all that is wanted stands at their own keys. The input's own
 * columns stay where they are: to copy 40 of them cost as much as a quarter of reading the documents.
 */
export function projectedSql(input: Relation, projections: readonly Projection[]): string {
  return readingSql(jsonSources(projections, { plainly: true }), { projections, from: identifier(input.name) });
}

/**
 * UPDATE of the rows of {@linkcode projectedSql} that were not read plainly, by a thorough look at each of their values. Apart,
 * because its expressions take DuckDB longer to plan than a small batch takes to be read plainly.
 */
export function readUnreadSql(
  input: Relation,
  options: { readonly projections: readonly Projection[]; readonly projected: string },
): string {
  const { projections } = options;
  const projected = identifier(options.projected);
  const from = `(SELECT rows.* FROM ${identifier(input.name)} AS rows
    POSITIONAL JOIN ${projected} AS projected WHERE projected.${unreadColumn})`;
  const reading = readingSql(jsonSources(projections, { plainly: false }), { projections, from });
  const columns = [...projections.map(({ column }) => identifier(column.name)), suspectColumn];
  // An event gives two rows at most, of which one is a key that leaves, and is never unread.
  return `UPDATE ${projected} SET ${columns.map((name) => `${name} = thorough.${name}`).join(", ")}
    FROM (${reading}) AS thorough WHERE ${projected}.${unreadColumn} AND ${projected}._ordinal = thorough._ordinal`;
}

function readingSql(
  sources: readonly JsonSource[],
  { projections, from }: { readonly projections: readonly Projection[]; readonly from: string },
): string {
  const columns = projections.map(({ column }) => identifier(column.name));
  const values = projections.map((projection) => {
    const source = sources.find((each) => each.from === projection.from)!;
    return `${projectionSql(projection, source)} AS ${identifier(projection.column.name)}`;
  });
  const needed = ["_ordinal", "_delete", ...sources.map((source) => identifier(source.from))];
  const plain = sources.filter((source) => source.plain !== undefined);
  const thorough = sources.filter((source) => source.plain === undefined);
  const exact = thorough.filter((source) => source.values.length > 0).map(exactTextsSql);
  return `SELECT _ordinal, ${columns.join(", ")},
    ${anyOf(thorough.map(suspectSql))} AS ${suspectColumn}, ${anyOf(plain.map(unreadSql))} AS ${unreadColumn}
    FROM (SELECT *, ${values.join(", ")}
    FROM (SELECT *${exact.length === 0 ? "" : ` REPLACE (${exact.join(", ")})`}
    FROM (SELECT *, ${sources.flatMap(readSql).join(", ")}
    FROM (SELECT ${[...needed, ...sources.map(documentSql)].join(", ")} FROM ${from}))))`;
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
function suspectSql({ from, document, values, counts, texts }: JsonSource): string {
  const steps = new Set(
    values.flatMap(pathsOf).flatMap((path) => path.slice(1).map((_, depth) => jsonPath(path.slice(0, depth + 1)))),
  );
  const suspicions = [
    `${document} IS NULL`,
    ...(values.length === 0 ? [] : [`NOT starts_with(${document}, '{')`]),
    ...[...steps].map((path) => `json_type(${document}, ${literal(path)}) NOT IN ('OBJECT', 'NULL')`),
    ...values.map((projection) =>
      missingSql(firstOf(textsOf(projection, { values, texts })), identifier(projection.column.name))
    ),
    ...counts.map(({ column }) => `${identifier(column.name)} IS NULL`),
  ];
  return `NOT _delete AND ${identifier(from)} IS NOT NULL AND ${anyOf(suspicions)}`;
}

/** A document that is no plain object, or a text of one that is spelled as its type mostly is not. */
function unreadSql({ from, values, plain }: JsonSource): string {
  const { flag, texts } = plain!;
  const typed = values.filter(({ column }) => column.type.kind !== "string");
  const missing = typed.flatMap((projection) => {
    const { column: { type, name } } = projection;
    const found = plainTextsOf(texts, projection);
    const valueOf = (text: string) => found.length === 1 ? identifier(name) : plainScalarSql(text, type);
    return found.map((text) => missingSql(text, valueOf(text)));
  });
  return `NOT _delete AND ${identifier(from)} IS NOT NULL AND ${anyOf([`NOT ${flag}`, ...missing])}`;
}

/** Condition: there is a text but no value. */
function missingSql(text: string, value: string): string {
  return `(${text} IS NOT NULL AND ${value} IS NULL)`;
}

function anyOf(conditions: readonly string[]): string {
  return `(${["false", ...conditions.map((condition) => `coalesce(${condition}, false)`)].join(" OR ")})`;
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

/** By JSON column; `plainly` where nothing but plain objects is to be read out of those that allow it. */
function jsonSources(
  projections: readonly Projection[],
  { plainly }: { readonly plainly: boolean },
): readonly JsonSource[] {
  return [...new Set(projections.map(({ from }) => from))].map((from, index) => {
    const own = projections.filter((projection) => projection.from === from);
    const values = own.filter((projection) => !isCount(projection));
    const plain = { flag: `_weir_plain_${index}`, texts: `_weir_plain_texts_${index}` };
    return {
      from,
      values,
      ...(plainly && values.length === own.length && readsFlatObject(values) ? { plain } : {}),
      counts: own.filter(isCount),
      document: `_weir_document_${index}`,
      texts: `_weir_texts_${index}`,
      lengths: `_weir_lengths_${index}`,
    };
  });
}

/** Whether a document is plain; or the document, NULL for what is no JSON, since one malformed would fail the whole statement. */
function documentSql(source: JsonSource): string {
  const from = identifier(source.from);
  return source.plain === undefined
    ? `CASE WHEN json_valid(${from}) THEN ${from} END AS ${source.document}`
    : `${isPlainObjectSql(from, source.values)} AS ${source.plain.flag}`;
}

function readSql({ from, document, values, counts, texts, lengths, plain }: JsonSource): readonly string[] {
  if (plain !== undefined) {
    return [`${plainTextsSql(`CASE WHEN ${plain.flag} THEN ${identifier(from)} END`, values)} AS ${plain.texts}`];
  }
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
function exactTextsSql(source: JsonSource): string {
  const { document, values, texts } = source;
  const types = values.flatMap((projection) => pathsOf(projection).map(() => projection.column.type));
  const changed = types.flatMap(({ kind }, index) =>
    kind === "string" ? [looksFractionalSql(`${texts}[${index + 1}]`)] : []
  );
  return `CASE WHEN ${holdsDoubtfulNumberSql(document)} AND (${[holdsLongNumberSql(document), ...changed].join(" OR ")})
    THEN ${textsSql(quoteNumbersSql(document), values)} ELSE ${texts} END AS ${texts}`;
}

function projectionSql(projection: Projection, source: JsonSource): string {
  if (isCount(projection)) return countSql(projection, source);
  if (source.plain === undefined) return valueSql(projection, source);
  const texts = plainTextsOf(source.plain.texts, projection);
  return firstOf(texts.map((text) => plainScalarSql(text, projection.column.type)));
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
function textsOf(projection: Projection, { values, texts }: Pick<JsonSource, "values" | "texts">): readonly string[] {
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
