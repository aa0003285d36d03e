/**
 * The source side of the verification: PostgreSQL SQL that gives key texts and the MD5 of the row text of every row that
 * the lake should hold, straight from the source tables.
 *
 * Promise: nothing of Weir's decoder, spool or transforms takes part; the texts follow the table in
 * `verify/row_text.ts`, each value that the lake cannot hold is NULL, and how many were made NULL is counted beside it.
 * Runs on PostgreSQL 13 and later, read-only. The session prints with `DateStyle` ISO and `IntervalStyle` as the capture
 * does; everything else is independent of settings and server encoding.
 */
import type { Column } from "../../dataset/column.ts";
import type { ColumnType } from "../../dataset/column_type.ts";
import type { Dataset, TableDefinition } from "../../dataset/dataset.ts";
import type { ChildTable } from "../../dataset/projection.ts";
import { type OldRows, type OldTexts, oldTextSql } from "../../dataset/row_retention.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { childRows, jsonDocument, projectedText } from "./json_value_sql.ts";
import { framed, type ValueText, valueText } from "./value_text_sql.ts";

/** The source side of one lake table. */
export interface RowTextQuery {
  /**
   * Gives one row per lake row: the texts of the key columns, `hash` (32 hex digits; NULL where the whole row is
   * dead-lettered because its key cannot be carried) and `refused` (values made NULL by the policy).
   */
  readonly statement: string;
  /** The lake columns that take part, in the order of the row text. */
  readonly columns: readonly Column[];
  /** Names of the key columns; empty where rows are only ever appended. */
  readonly key: readonly string[];
}

/** Options of {@linkcode rowTextQuery}. */
export interface RowTextOptions {
  /** Bytes of a value's text above which it is dead-lettered. Default 64 MiB. */
  readonly maxValueBytes?: number;
  /** Rows that are left out: those whose text of a column is among these. Default: none. */
  readonly without?: OldRows | undefined;
}

/** Bytes of a value's text above which it is dead-lettered (design §4). */
const defaultMaxValueBytes = 64 * 2 ** 20;

/**
 * The query for a dataset's own lake table, or for one of its child tables where the definition's name is a child's.
 * Columns of the definition that the source knows nothing of (embedding columns) take no part.
 *
 * @throws {RangeError} If a column of the dataset is missing in the lake's definition, so that it would go unchecked.
 */
export function rowTextQuery(
  dataset: Dataset,
  definition: TableDefinition,
  options: RowTextOptions = {},
): RowTextQuery {
  const child = dataset.children?.find((candidate) => candidate.name === definition.name);
  const table = new SourceTable(dataset, definition, options);
  return child === undefined ? table.ownQuery() : table.childQuery(child);
}

/** A source table seen as the origin of one lake table. `s` is the source row, `c` a child row. */
class SourceTable {
  readonly #dataset: Dataset;
  readonly #definition: TableDefinition;
  readonly #options: RowTextOptions;
  readonly #from: string;

  constructor(dataset: Dataset, definition: TableDefinition, options: RowTextOptions) {
    this.#dataset = dataset;
    this.#definition = definition;
    this.#options = options;
    const name = `${identifier(dataset.source.namespace)}.${identifier(dataset.source.table)}`;
    // Rows of table partitions are its own; rows of tables that inherit from it are not.
    this.#from = `(SELECT * FROM ${name} AS o WHERE o.tableoid = ${literal(name)}::regclass
      OR (SELECT relkind = 'p' FROM pg_catalog.pg_class WHERE oid = ${literal(name)}::regclass)) AS s`;
  }

  ownQuery(): RowTextQuery {
    const texts = new Map<string, ValueText>();
    for (const { name } of this.#dataset.columns) texts.set(name, this.#sourceText(name));
    for (const projection of this.#dataset.projections ?? []) {
      // Its document has left the source, and the lake with it.
      if (!texts.has(projection.from)) continue;
      texts.set(projection.column.name, projectedText(projection, this.#document(projection.from)));
    }
    return this.#query(this.#from, texts);
  }

  childQuery(child: ChildTable): RowTextQuery {
    const rows = childRows(child, this.#document(child.from));
    const texts = new Map<string, ValueText>();
    for (const name of this.#dataset.key) texts.set(name, this.#sourceText(name));
    texts.set("ordinal", { text: "c.ordinal::text", present: "true", fallible: false });
    for (const { name } of child.columns) texts.set(name, rows.text("c", name));
    return this.#query(`${this.#from} CROSS JOIN LATERAL (${rows.from}) AS c`, texts);
  }

  #sourceText(name: string): ValueText {
    const { type } = this.#lakeColumn(name);
    const { maxValueBytes = defaultMaxValueBytes } = this.#options;
    return valueText(this.#sourceColumn(name).sql, type, { maxValueBytes });
  }

  #document(name: string): ReturnType<typeof jsonDocument> {
    const { sql, column } = this.#sourceColumn(name);
    return jsonDocument(sql, column);
  }

  /** Where the source has a lake column. */
  #sourceColumn(name: string): { readonly sql: string; readonly column: Column | undefined } {
    const column = this.#dataset.columns.find((candidate) => candidate.name === name);
    return { sql: `s.${identifier(column?.sourceName ?? name)}`, column };
  }

  #lakeColumn(name: string): Column {
    const column = this.#definition.columns.find((candidate) => candidate.name === name);
    if (column !== undefined) return column;
    throw new RangeError(`Cannot verify "${this.#definition.name}": the lake has no column "${name}"`);
  }

  #query(from: string, texts: ReadonlyMap<string, ValueText>): RowTextQuery {
    const columns = [...texts.keys()].map((name) => this.#lakeColumn(name));
    const names = new Map([...texts.keys()].map((name, index) => [name, `t${index}`]));
    const textOf = (name: string, role: string) => {
      const text = names.get(name);
      if (text !== undefined) return text;
      throw new RangeError(`Cannot verify "${this.#definition.name}": its ${role} "${name}" is not the source's`);
    };
    const { key } = this.#definition;
    const keyTexts = key.map((name) => textOf(name, "key column"));
    const { without } = this.#options;
    const old = without && {
      text: textOf(without.column, "partition column"),
      texts: without.texts,
      type: this.#lakeColumn(without.column).type,
    };
    return { statement: statement({ from, texts: [...texts.values()], keyTexts, old }), columns, key };
  }
}

interface StatementParts {
  readonly from: string;
  /** Texts of all columns; the n-th is named `t<n>`. */
  readonly texts: readonly ValueText[];
  readonly keyTexts: readonly string[];
  /** Which text tells rows that are left out. */
  readonly old?: { readonly text: string; readonly texts: OldTexts; readonly type: ColumnType } | undefined;
}

/** PostgreSQL takes 1664 expressions in a select list, and each column needs two. */
const columnsPerGroup = 400;

function statement({ from, texts, keyTexts, old }: StatementParts): string {
  // One group, the common case, is read without a join.
  const isWide = texts.length > columnsPerGroup;
  const groups: string[] = [];
  for (let first = 0; first < texts.length; first += columnsPerGroup) {
    const last = Math.min(first + columnsPerGroup, texts.length);
    const named = [...new Set([...keyTexts, ...(old === undefined ? [] : [old.text])])];
    const keys = named.filter((name) => Number(name.slice(1)) >= first && Number(name.slice(1)) < last);
    groups.push(groupSql(texts, { first, last, keys, from: isWide ? "" : `FROM ${from}` }));
  }
  const joined = groups.map((group, index) => `LATERAL (${group}) AS g${index}`);
  const sum = (name: string, operator: string) => groups.map((_, index) => `g${index}.${name}`).join(` ${operator} `);
  // Hashed as UTF-8, whatever the server's encoding is.
  const hash = `md5(convert_to(${sum("text", "||")}, 'UTF8'))`;
  const readable = keyTexts.map((name) => `${name} IS NOT NULL`).join(" AND ");
  const outer = [
    ...keyTexts.map((name, index) => `${name} AS k${index}`),
    `${keyTexts.length === 0 ? hash : `CASE WHEN ${readable} THEN ${hash} END`} AS hash`,
    `${sum("refused", "+")} AS refused`,
  ];
  const kept = old === undefined ? "" : ` WHERE ${oldTextSql(old.text, old.texts, old.type)} IS NOT TRUE`;
  return `SELECT ${outer.join(", ")} FROM ${[...isWide ? [from] : [], ...joined].join(" CROSS JOIN ")}${kept}`;
}

/** Row text and refused values of some columns of one row, and the texts among them that are asked for by name. */
function groupSql(
  texts: readonly ValueText[],
  { first, last, keys, from }: {
    readonly first: number;
    readonly last: number;
    readonly keys: readonly string[];
    readonly from: string;
  },
): string {
  const columns = texts.slice(first, last).map((column, index) => ({ ...column, number: first + index }));
  const inner = columns.flatMap(({ text, present, fallible, number }) =>
    fallible ? [`${text} AS t${number}`, `${present} AS p${number}`] : [`${text} AS t${number}`]
  );
  const refused = columns.flatMap(({ fallible, number }) =>
    fallible ? [`(p${number} AND t${number} IS NULL)::int`] : []
  );
  const rowText = columns.map(({ number }) => framed(`t${number}`)).join(" || ");
  // OFFSET 0 keeps the planner from putting each text's expression in the place of each of its uses.
  return `SELECT ${rowText} AS text, ${refused.join(" + ") || "0"} AS refused${keys.map((name) => `, ${name}`).join("")}
    FROM (SELECT ${inner.join(", ")} ${from} OFFSET 0) AS texts`;
}
