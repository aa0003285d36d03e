/**
 * Verification: every row of a lake table compared with its source at one position, while rows keep flowing.
 *
 * Promise: the source side is read under an exported snapshot with PostgreSQL's own SQL and never through our decoder, so
 * an error there cannot hide itself; a row that is missing, extra, doubled or different in any compared column is found,
 * whatever the values are. Values that the lake cannot hold are counted apart. Memory is bounded by the connection's limit.
 */
import type { VerificationPoint } from "../change/source.ts";
import { spoolCsvOptions } from "../change/spool_format.ts";
import type { Dataset, TableDefinition } from "../dataset/dataset.ts";
import { oldTextSql } from "../dataset/row_retention.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { comparableScan } from "./comparable_scan.ts";
import { type RowTextQuery, rowTextQuery } from "../source/postgres/row_text_sql.ts";
import { columnText, rowHash } from "./row_text.ts";
import { comparedKeys, type ComparedRows, sampledStatement } from "./compared_rows.ts";

/** What {@linkcode verifyTable} compares. */
export interface VerificationRequest {
  /** The source's side. The lake must stand exactly at its position. */
  readonly point: Pick<VerificationPoint, "copyTo">;
  readonly dataset: Dataset;
  /** The lake table: the dataset's own, or one of its child tables. Columns the source does not have take no part. */
  readonly definition: TableDefinition;
  /** SELECT over the lake table's snapshot. Undefined: there is no table, so every row is missing. */
  readonly scan: string | undefined;
  readonly connection: Connection;
  /** Folder that the connection may read; holds the source's hashes meanwhile. */
  readonly folder: string;
  /** Bytes of a value's text above which it is dead-lettered, as at the capture. Default 64 MiB. */
  readonly maxValueBytes?: number;
  /** Most keys to name. Default 20. */
  readonly maxMismatches?: number;
  /** Which rows take part. Default: all. */
  readonly compared?: ComparedRows;
}

/** One key whose rows are not equal. Of a table without a key it is the row's hash. No other value is shown. */
export interface Mismatch {
  readonly kind: "missing" | "extra" | "different";
  /** Key texts by column name, spelled as in `row_text.ts`. */
  readonly key: Readonly<Record<string, string | null>>;
}

/** What was found. A verified table has 0 missing, 0 extra and 0 different. */
export interface TableVerification {
  /** Rows that the lake should hold. */
  readonly rows: number;
  readonly missing: number;
  /** Rows of the lake that the source does not have, and further rows of the same key. */
  readonly extra: number;
  readonly different: number;
  /** Rows and values that the lake cannot hold; the rows are not missing and the values count as NULL. */
  readonly deadLettered: number;
  readonly mismatches: readonly Mismatch[];
}

/**
 * Compares one lake table with its source. The folder needs room for about 60 bytes and two key texts a row.
 *
 * @throws {RangeError} If a column of the dataset is missing in the lake's definition.
 * @throws {WeirError} `unsupportedSchemaChange` where columns were renamed and the lake has not heard of it.
 */
export async function verifyTable(request: VerificationRequest): Promise<TableVerification> {
  const { maxValueBytes, compared } = request;
  const query = rowTextQuery(request.dataset, request.definition, {
    ...(maxValueBytes === undefined ? {} : { maxValueBytes }),
    without: compared?.without,
  });
  const name = `verify_${crypto.randomUUID().replaceAll("-", "")}`;
  const files = { spool: `${request.folder}/${name}.csv`, sides: `${request.folder}/${name}.parquet` };
  const isCompared = comparedKeys(query.key, request.compared);
  const comparison: Comparison = { key: query.key, ...files, mismatches: identifier(name), isCompared };
  try {
    await request.point.copyTo(sampledStatement(query, request.compared), files.spool);
    const scan = await comparableScan(request, query.columns);
    const rows = await stageSides(comparison, { query, request: { ...request, scan } });
    await compare(comparison, { connection: request.connection, rows });
    return await summarize(comparison, request);
  } finally {
    await request.connection.run(`DROP TABLE IF EXISTS ${comparison.mismatches}`);
    for (const path of Object.values(files)) await Deno.remove(path).catch(() => {});
  }
}

/** One comparison on its way. */
interface Comparison {
  readonly key: readonly string[];
  /** The source's side: `k0 … kn`, `hash`, `refused`. */
  readonly spool: string;
  /** Both sides: `k0 … kn`, `hash`, `at_source` and `pass`. */
  readonly sides: string;
  /** Name of the table of keys whose rows are not equal. */
  readonly mismatches: string;
  /** Whether a row of either side, with its key texts `k0 … kn`, takes part. */
  readonly isCompared: string;
}

/** Longest line of hashes and key texts: an index entry of PostgreSQL has at most 8191 bytes, and pglz packs 100 into 1. */
const maxLineBytes = 2 * 2 ** 20;
/** Rows compared in one pass: about 100 MB of hash table. */
const rowsPerPass = 500_000;

function sourceSide(path: string, keyColumns: number): string {
  const keys = Array.from({ length: keyColumns }, (_, index) => `k${index}`);
  const columns = [...keys, "hash", "refused"].map((name) => `'${name}': 'VARCHAR'`).join(", ");
  return `SELECT * REPLACE (hash::UUID AS hash, refused::BIGINT AS refused) FROM read_csv(${literal(path)}, ` +
    `${spoolCsvOptions(maxLineBytes)}, columns={${columns}})`;
}

function lakeSide({ scan, compared }: VerificationRequest, query: RowTextQuery): string {
  const columnOf = (name: string) => {
    const column = query.columns.find((candidate) => candidate.name === name);
    if (column === undefined) throw new RangeError(`Cannot compare: column "${name}" takes no part`);
    return column;
  };
  const keys = query.key.map((name, index) => `${columnText(columnOf(name))} AS k${index}`);
  const none = [...query.key.map((_, index) => `NULL::VARCHAR AS k${index}`), "NULL::UUID AS hash"].join(", ");
  if (scan === undefined) return `SELECT ${none} WHERE false`;
  const without = compared?.without;
  const time = without && columnOf(without.column);
  const kept = time && ` WHERE ${oldTextSql(columnText(time), without.texts, time.type)} IS NOT TRUE`;
  return `SELECT ${[...keys, `${rowHash(query.columns)}::UUID AS hash`].join(", ")} FROM (${scan})${kept ?? ""}`;
}

/** Writes both sides into one file, each row marked with the pass that compares it, and gives the number of rows. */
async function stageSides(
  comparison: Comparison,
  from: { readonly query: RowTextQuery; readonly request: VerificationRequest },
): Promise<number> {
  const { key, spool, sides, isCompared } = comparison;
  const keys = keyNames(key);
  // Without a key a row is its own: equal rows are counted.
  const keyList = key.length === 0 ? "hash::VARCHAR AS k0" : keys.join(", ");
  const side = (select: string, isSource: boolean) =>
    `SELECT ${keyList}, hash, ${isSource} AS at_source FROM (${select}) AS compared WHERE ${isCompared}`;
  const both = `${side(sourceSide(spool, key.length), true)} AND hash IS NOT NULL UNION ALL ` +
    side(lakeSide(from.request, from.query), false);
  return await from.request.connection.run(
    `COPY (SELECT *, (hash(${keys.join(", ")}) % ${passes})::UTINYINT AS pass FROM (${both})) TO ${
      literal(sides)
    } (FORMAT parquet)`,
  );
}

/** Most passes; few rows are compared in one. */
const passes = 64;

/**
 * An aggregation by key over both sides instead of a full outer join: it also finds a key that stands twice in the lake. In
 * several passes, each over the keys of some hashes, because an aggregation holds its keys in memory.
 */
async function compare(
  { key, sides, mismatches }: Comparison,
  options: { readonly connection: Connection; readonly rows: number },
): Promise<void> {
  const keys = keyNames(key).join(", ");
  const together = Math.max(1, Math.floor(passes / Math.ceil(options.rows / (2 * rowsPerPass) || 1)));
  const unequal = (first: number) =>
    `SELECT ${keys}, count(*) FILTER (at_source) AS source_rows, count(*) FILTER (NOT at_source) AS lake_rows
     FROM read_parquet(${literal(sides)}, hive_partitioning = false) WHERE pass >= ${first} AND pass < ${
      first + together
    }
     GROUP BY ${keys} HAVING source_rows <> lake_rows OR min(hash) <> max(hash)`;
  await options.connection.run(`CREATE TEMP TABLE ${mismatches} AS ${unequal(0)}`);
  for (let first = together; first < passes; first += together) {
    await options.connection.run(`INSERT INTO ${mismatches} ${unequal(first)}`);
  }
}

async function summarize(comparison: Comparison, request: VerificationRequest): Promise<TableVerification> {
  const { connection } = request;
  const [total] = await connection.rows(
    `SELECT count(hash) AS rows, count(*) - count(hash) AS refused_rows,
       coalesce(sum(refused) FILTER (hash IS NOT NULL), 0)::BIGINT AS refused_values FROM (${
      sourceSide(comparison.spool, comparison.key.length)
    }) AS compared WHERE ${comparison.isCompared}`,
  );
  const [found] = await connection.rows(
    `SELECT coalesce(sum(greatest(source_rows - lake_rows, 0)), 0)::BIGINT AS missing,
       coalesce(sum(greatest(lake_rows - source_rows, 0)), 0)::BIGINT AS extra,
       count(*) FILTER (source_rows = lake_rows) AS different FROM ${comparison.mismatches}`,
  );
  return {
    rows: Number(total?.["rows"]),
    missing: Number(found?.["missing"]),
    extra: Number(found?.["extra"]),
    different: Number(found?.["different"]),
    deadLettered: Number(total?.["refused_rows"]) + Number(total?.["refused_values"]),
    mismatches: await namedMismatches(comparison, request),
  };
}

async function namedMismatches(
  { key, mismatches }: Comparison,
  request: VerificationRequest,
): Promise<Mismatch[]> {
  const keys = keyNames(key);
  const rows = await request.connection.rows(
    `SELECT ${keys.join(", ")}, CASE WHEN source_rows > lake_rows THEN 'missing'
       WHEN source_rows < lake_rows THEN 'extra' ELSE 'different' END AS kind
     FROM ${mismatches} ORDER BY ALL LIMIT ${request.maxMismatches ?? 20}`,
  );
  const names = key.length === 0 ? ["hash"] : key;
  return rows.map((row) => ({
    kind: row["kind"] as Mismatch["kind"],
    key: Object.fromEntries(names.map((name, index) => [name, row[`k${index}`] as string | null])),
  }));
}

function keyNames(key: readonly string[]): readonly string[] {
  return key.length === 0 ? ["k0"] : key.map((_, index) => `k${index}`);
}
