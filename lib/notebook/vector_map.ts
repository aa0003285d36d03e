/** Vectors on a plane: where each lies along the two directions in which they differ most. */
import type { PlainRow } from "./plain_value.ts";
import { rowsInFrom } from "./query.ts";
import { columnsNamed, type QueryResult } from "./query_result.ts";
import { identifier, type InSql, sql, SqlPart } from "./sql_part.ts";

/** Which vectors. */
export interface VectorMapOptions {
  /** Column of the vectors. Default `embedding_vector`. */
  readonly vector?: string;
}

/** As many vectors shape the axes: more turn them by less than a dot's width. */
const sampledRows = 4_000;

/** The rows that lie on a plane, and what is to be told of the others. */
export interface VectorMap {
  readonly part: SqlPart;
  readonly notes: readonly string[];
}

/**
 * The rows, with `x` and `y` in place of their vector: its distance from the mean along the first two principal axes. Columns of
 * their own of these names give way. Rows without a vector, with one of another size than most, and with one that holds NULL, NaN or
 * an infinity, are left out and counted in a note.
 *
 * @throws {RangeError} If there are no vectors of two dimensions or more.
 */
export async function vectorMapSql(
  rows: InSql,
  { vector = "embedding_vector", run }: VectorMapOptions & { readonly run: (query: SqlPart) => Promise<QueryResult> },
): Promise<VectorMap> {
  const [column, given] = [identifier(vector), rowsInFrom(rows)];
  // One value that is no number would make all of the axes none. The sum of doubles of this size cannot overflow.
  const isWhole = sql`list_count(${column}::FLOAT[]) = len(${column}) AND isfinite(list_sum(${column}::DOUBLE[]))`;
  // By hash, and so the same ones each time.
  const sample = await run(sql`
    SELECT ${column}::FLOAT[] AS vector FROM ${given} AS given WHERE ${isWhole}
    ORDER BY hash(${column}::VARCHAR) LIMIT ${sampledRows}`);
  const { dimensions, values } = vectorsOf(await sample.rows(), vector);
  const { mean, first, second } = await planeOf({ dimensions, values });
  const array = new SqlPart([`FLOAT[${dimensions}]`]);
  // Of arrays, whose product looks at its own row alone: that of lists refuses a NULL in a row that is left out too.
  const along = (axis: Float32Array) =>
    sql`array_inner_product(TRY_CAST(${column} AS ${array}), ${axis}::${array}) - ${dot(mean, axis)}`;
  const { columns } = await run(sql`SELECT * FROM ${given} AS given LIMIT 0`);
  const isShown = sql`len(${column}) = ${dimensions} AND ${isWhole}`;
  const part = sql`
    SELECT * EXCLUDE (${columnsNamed([vector, "x", "y"], columns)}), ${along(first)} AS x, ${
    along(second)
  } AS y FROM ${given} AS given
    WHERE ${isShown}`;
  const counted = await run(sql`
    SELECT count(*) AS total, count(*) FILTER (${isShown}) AS shown, count(${column}) AS vectors FROM ${given} AS given`);
  const [counts] = await counted.rows({ numeric: true });
  return { part, notes: leftOut(counts as unknown as Counts, { vector, dimensions }) };
}

interface Counts {
  readonly total: number;
  readonly shown: number;
  readonly vectors: number;
}

function leftOut(
  { total, shown, vectors }: Counts,
  { vector, dimensions }: { readonly vector: string; readonly dimensions: number },
): readonly string[] {
  const whys = [
    [total - vectors, `have no ${vector}`],
    [
      vectors - shown,
      `have a ${vector} of other than ${dimensions} dimensions, or with NULL, NaN or an infinity in it`,
    ],
  ] as const;
  return whys.flatMap(([rows, why]) => rows === 0 ? [] : [`not on the map: of ${total} rows ${rows} that ${why}`]);
}

interface Vectors {
  readonly dimensions: number;
  readonly values: Float32Array;
}

/** Those of the size that most have. */
function vectorsOf(rows: readonly PlainRow[], column: string): Vectors {
  const vectors = rows.map(({ vector }) => vector as readonly number[]);
  const sizes = Map.groupBy(vectors, ({ length }) => length);
  const [most] = [...sizes].toSorted(([, left], [, right]) => right.length - left.length);
  const [dimensions, alike] = most ?? [0, []];
  if (dimensions < 2) {
    throw new RangeError(
      `Cannot lay out vectors: ${column} has none of two dimensions or more without NULL, NaN or an infinity`,
    );
  }
  return { dimensions, values: Float32Array.from(alike.flat()) };
}

interface Plane {
  readonly mean: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

async function planeOf({ dimensions, values }: Vectors): Promise<Plane> {
  const { principalAxes } = await import("../embed/distil/principal_axes.ts");
  const mean = new Float32Array(dimensions);
  const count = values.length / dimensions;
  values.forEach((value, index) => mean[index % dimensions]! += value / count);
  const centred = values.map((value, index) => value - mean[index % dimensions]!);
  const axes = principalAxes([{ dimensions, values: centred, weight: 1 }], 2);
  const axis = (which: number) => Float32Array.from({ length: dimensions }, (_, index) => axes[index * 2 + which]!);
  return { mean, first: axis(0), second: axis(1) };
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + value * right[index]!, 0);
}
