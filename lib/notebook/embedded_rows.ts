/** Vectors of a result's rows, by whichever model: to compare models, and to embed what no job has. */
import type { Column } from "../dataset/column.ts";
import { type ColumnType, types } from "../dataset/column_type.ts";
import type { Embedder } from "../embed/embedder.ts";
import type { TextDeclaration } from "../embed/text_declaration.ts";
import { givenTable } from "./given_rows.ts";
import { type Query, rowsInFrom, writeRows } from "./query.ts";
import type { PlainRow } from "./plain_value.ts";
import { columnsNamed, QueryResult, type ResultColumn } from "./query_result.ts";
import { identifier, type InSql, sql, SqlPart } from "./sql_part.ts";

/** What the vectors are made from, and who makes them. */
export interface EmbedRowsOptions {
  /** As `datasetText` gives it of a contract, or `embedTextFrom` of columns. Columns that the rows lack are left out of the text. */
  readonly text: TextDeclaration;
  /** As `createEmbedder` gives it; it stays open. */
  readonly embedder: Embedder;
  /** More rows than this are refused: a job embeds tables. Default 100,000. */
  readonly most?: number;
}

const textsPerBatch = 2048;
/** Columns of what texts are made from. */
const rowMarks = ["_ordinal", "_delete"];

/**
 * The rows with `text`, what a job would embed of them, and `vector` (NULL where there could be none), in their order. Columns of
 * their own of these names give way.
 *
 * @throws {RangeError} If there are more than `most`.
 * @throws {TypeError} If a column is called `_ordinal` or `_delete`.
 */
export async function embeddedRowsSql(
  database: Query["database"],
  rows: InSql,
  { text, embedder, most }: EmbedRowsOptions,
): Promise<SqlPart> {
  const run = (part: SqlPart) => QueryResult.of({ database, part });
  requireNoMarks((await run(sql`SELECT * FROM ${rowsInFrom(rows)} AS given LIMIT 0`)).columns);
  const kept = `weir_embedded_${crypto.randomUUID()}`;
  const table = identifier(kept);
  const numbered = sql`SELECT *, row_number() OVER () AS _ordinal, false AS _delete FROM ${rowsInFrom(rows)} AS given`;
  await writeRows({ database, part: numbered }, table);
  const { recordTextSql } = await import("../embed/record_text.ts");
  const { columns } = await run(sql`SELECT * FROM ${table}`);
  const select = recordTextSql(text, { columns: columns.map(textColumn), from: kept });
  const texts = await run(sql`SELECT _ordinal, text FROM (${new SqlPart([select])}) AS texts ORDER BY _ordinal`);
  const vectors = await givenTable(database, {
    columns: [["_ordinal", "BIGINT"], ["text", "VARCHAR"], ["vector", "FLOAT[]"]],
    rows: await embedded(await texts.rows(most === undefined ? {} : { most }), embedder),
  });
  const without = columnsNamed([...rowMarks, "text", "vector"], columns);
  return sql`SELECT given.* EXCLUDE (${without}), made.text, made.vector
    FROM ${table} AS given JOIN (${vectors}) AS made USING (_ordinal) ORDER BY given._ordinal`;
}

function requireNoMarks(columns: readonly ResultColumn[]): void {
  const own = columns.find(({ name }) => rowMarks.includes(name.toLowerCase()))?.name;
  if (own === undefined) return;
  const renamed = `SELECT * RENAME (${own} AS other) FROM …`;
  throw new TypeError(`Cannot embed rows with a column ${own}, a name that embedding needs itself: ${renamed}`);
}

/** Ordinal, text and vector of each, a batch at a time. */
async function embedded(texts: readonly PlainRow[], embedder: Embedder): Promise<unknown[][]> {
  const { textBatch } = await import("../embed/embedder.ts");
  const { model: { dimensions } } = embedder;
  const rows: unknown[][] = [];
  for (let first = 0; first < texts.length; first += textsPerBatch) {
    const batch = texts.slice(first, first + textsPerBatch);
    const { vectors, failures } = await embedder.embed(textBatch(batch.map(({ text }) => String(text))));
    const failed = new Set(failures.map(({ text }) => text));
    for (const [index, { _ordinal, text }] of batch.entries()) {
      const vector = vectors.subarray(index * dimensions, (index + 1) * dimensions);
      rows.push([_ordinal, text, failed.has(index) ? null : vector]);
    }
  }
  return rows;
}

/** A column as texts know it: what is no text, list or bytes, they print as DuckDB does. */
function textColumn({ name, type }: ResultColumn): Column {
  return { name, type: kindOf(type), nullable: true };
}

function kindOf(type: string): ColumnType {
  if (type === "VARCHAR") return types.string;
  if (type === "BLOB") return types.binary;
  return type.endsWith("[]") ? types.list(types.string) : types.float64;
}
