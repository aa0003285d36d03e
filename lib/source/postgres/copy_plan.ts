/** Which pieces of a table are read by which COPY statement. */
import { spoolCopyOptions } from "../../change/spool_format.ts";
import { identifier, literal } from "../../engine/quote.ts";
import type { CatalogueTable } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { qualifiedName } from "./source_table.ts";

/** How a table is read. */
export interface CopyPlan {
  /** One COPY statement per chunk, in no order. */
  readonly statements: readonly string[];
  /** SELECT giving column number, key texts as JSON and bytes of every value over the limit; undefined: there is none. */
  readonly oversized: string | undefined;
}

/** What {@linkcode planCopy} needs beside the table. */
export interface CopyPlanOptions {
  readonly table: CatalogueTable;
  /** The columns that name a row. */
  readonly key: readonly string[];
  /** Name of a column in the lake. */
  readonly lakeName: (name: string) => string;
  readonly maxValueBytes: number;
  readonly serverVersion: number;
  readonly encoding: string;
}

/** Bytes of heap a chunk covers. */
const chunkBytes = 64 * 2 ** 20;
/** Reading a range of row addresses is a plan of its own since PostgreSQL 14; before, it reads the whole table. */
const rangeScanVersion = 140_000;
/**
 * Most bytes of text that one stored byte stands for: LZ4 makes one of 255 at its best, and a byte of an array, a timestamp or
 * a bytea prints as 8 at most. A numeric beyond 1e1000 prints as more; the verification tells of one that gets past this.
 */
const mostTextPerByte = 255 * 8;
/** The largest text of a value that stands inside a page. */
const largestInlineBytes = 8192 * mostTextPerByte;

interface Leaf {
  readonly name: string;
  readonly pages: number;
  readonly toast_bytes: string;
}

/** Plans the copy of a table. A partitioned one is read leaf by leaf. */
export async function planCopy(connection: PostgresConnection, options: CopyPlanOptions): Promise<CopyPlan> {
  const { table, maxValueBytes } = options;
  const leaves = await connection.rows<Leaf>(
    `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
       (pg_relation_size(c.oid) / current_setting('block_size')::int8)::int4 AS pages,
       coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)::text AS toast_bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid IN (SELECT relid FROM pg_partition_tree($1) WHERE isleaf UNION ALL SELECT $1) AND c.relkind = 'r'
     ORDER BY c.oid`,
    [table.oid],
  );
  const mayBeOversized = maxValueBytes < largestInlineBytes ||
    leaves.some((leaf) => Number(leaf.toast_bytes) * mostTextPerByte > maxValueBytes);
  const large = mayBeOversized ? await variableColumns(connection, table.oid) : new Set<string>();
  const bytes = (name: string) => textBytes(name, options.encoding);
  const columns = table.columns.map(({ name }) => {
    const quoted = identifier(name);
    return large.has(name) ? `CASE WHEN ${bytes(name)} <= ${maxValueBytes} THEN ${quoted} END AS ${quoted}` : quoted;
  }).join(", ");
  const keyFits = fittingKey(options, large);
  const statements = leaves.flatMap((leaf) =>
    chunkConditions(leaf.pages, options.serverVersion).map((condition) => {
      const conditions = [...condition, ...keyFits].join(" AND ");
      const where = conditions === "" ? "" : ` WHERE ${conditions}`;
      return `COPY (SELECT ${columns} FROM ONLY ${leaf.name}${where}) TO STDOUT (${spoolCopyOptions})`;
    })
  );
  return { statements, oversized: large.size === 0 ? undefined : oversizedQuery(options, large) };
}

/** Row address ranges; the last one is open, so that no row can stand behind it. */
function chunkConditions(pages: number, serverVersion: number): readonly (readonly string[])[] {
  if (serverVersion < rangeScanVersion) return [[]];
  const pagesPerChunk = Math.floor(chunkBytes / 8192);
  const count = Math.max(1, Math.ceil(pages / pagesPerChunk));
  return Array.from({ length: count }, (_, index) => {
    const from = index === 0 ? [] : [`ctid >= '(${index * pagesPerChunk},0)'::tid`];
    const to = index === count - 1 ? [] : [`ctid < '(${(index + 1) * pagesPerChunk},0)'::tid`];
    return [...from, ...to];
  });
}

async function variableColumns(connection: PostgresConnection, oid: number): Promise<ReadonlySet<string>> {
  const rows = await connection.rows<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attlen = -1",
    [oid],
  );
  return new Set(rows.map((row) => row.name));
}

/** Bytes as they would stand in the spool. `concat` prints a value as COPY does; a cast would trim char(n). */
function textBytes(name: string, encoding: string): string {
  const text = `concat(${identifier(name)})`;
  return encoding === "UTF8" ? `octet_length(${text})` : `octet_length(convert_to(${text}, 'UTF8'))`;
}

/** Conditions under which a row's key can be carried. */
function fittingKey({ key, encoding, maxValueBytes }: CopyPlanOptions, large: ReadonlySet<string>): readonly string[] {
  return key.filter((name) => large.has(name)).map((name) => `${textBytes(name, encoding)} <= ${maxValueBytes}`);
}

function oversizedQuery(options: CopyPlanOptions, large: ReadonlySet<string>): string {
  const { table, key, maxValueBytes } = options;
  const keyJson = `json_build_object(${
    key.map((name) => `${literal(options.lakeName(name))}, concat(${identifier(name)})`).join(", ")
  })::text`;
  const fits = fittingKey(options, large).join(" AND ") || "true";
  const selects = table.columns.filter(({ name }) => large.has(name)).map(({ name }) =>
    `SELECT CASE WHEN ${fits} THEN ${
      literal(options.lakeName(name))
    } END AS "column", CASE WHEN ${fits} THEN ${keyJson} END AS key,
       ${textBytes(name, options.encoding)} AS bytes FROM ${table.kind === "r" ? "ONLY " : ""}${qualifiedName(table)}
     WHERE ${textBytes(name, options.encoding)} > ${maxValueBytes}`
  );
  return selects.join(" UNION ALL ");
}
