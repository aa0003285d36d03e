/** The rows nearest to a vector, out of an index that may be behind its table. */
import type { Connection } from "../../engine/connection.ts";
import { WeirError } from "../../errors.ts";
import type { OpenedTable } from "../time_travel.ts";
import { rowsSince, unfitReason } from "./index_changes.ts";
import type { IndexManifest } from "./index_manifest.ts";
import { textIsOneOf } from "./text_label.ts";
import type { VectorIndex } from "./vector_index.ts";
import { labelsOf } from "./vector_pieces.ts";
import { type Comparison, type LabelSimilarities, labelsSql, nearestLabelsSql } from "./vector_rows.ts";

/** What {@linkcode searchIndex} works with. */
export interface IndexSearch<Found> {
  readonly index: VectorIndex;
  readonly opened: OpenedTable;
  readonly connection: Connection;
  /** Over the rows of the newest snapshot. */
  readonly comparison: Comparison;
  readonly top: number;
  /** The rows that have some labels, nearest first, at most `top`. */
  readonly rowsOf: (near: LabelSimilarities) => Promise<readonly Found[]>;
}

/** What was found, and how far the index was behind. */
export interface IndexFindings<Found> {
  readonly rows: readonly Found[];
  readonly manifest: IndexManifest;
  /** Texts that came into the table since the index's snapshot, whose rows were compared one by one. */
  readonly textsSince: number;
}

/** First and largest number of neighbours that the graph is asked for; above that, comparing all rows is quicker. */
const fewestNeighbours = 128;
const mostNeighbours = 4096;
/** Of more texts since, comparing all rows is hardly slower. */
const mostTextsSince = 50_000;

/**
 * Finds the nearest rows, or a reason why only comparing every row can.
 *
 * The graph names texts; the table says which rows have them now, and whether they meet the condition. Those are the nearest rows as
 * soon as enough of them are nearer than the last text that the graph named; until then it is asked for more. The rows of texts that
 * the graph lacks are compared one by one.
 */
export async function searchIndex<Found extends { readonly similarity: number }>(
  search: IndexSearch<Found>,
): Promise<IndexFindings<Found> | { readonly reason: string }> {
  const { index, opened, comparison, connection, top } = search;
  const manifest = await loaded(index);
  if (manifest === undefined) return { reason: "there is no index" };
  if ("reason" in manifest) return manifest;
  const unfit = unfitReason(manifest, { opened, space: comparison.space });
  if (unfit !== undefined) return { reason: `the index does not fit: ${unfit}` };
  using since = await rowsSince(manifest, opened);
  const lacking = since === undefined ? [] : await textsLacking(search, since.select);
  if (lacking.length > mostTextsSince) return { reason: `${lacking.length} texts came since the index was made` };
  const later = {
    ...comparison,
    rows: since?.select ?? "",
    where: `${textIsOneOf(lacking)} AND (${comparison.where})`,
  };
  const found = lacking.length === 0 ? [] : await nearestLabels(connection, { comparison: later, top });
  const rows = await widened(search, found);
  if (rows === undefined) return { reason: "too few of the nearest rows meet the condition" };
  return { rows, manifest, textsSince: lacking.length };
}

/** An index that cannot be used is no reason not to search. */
async function loaded(index: VectorIndex): Promise<IndexManifest | { readonly reason: string } | undefined> {
  try {
    return await index.load();
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown;
    if (thrown.kind === "tableUnreadable") return { reason: "the index is damaged, and --index builds it anew" };
    if (thrown.kind === "precondition") return { reason: thrown.message };
    throw thrown;
  }
}

/** Labels and similarities of the rows nearest to a vector, by comparing every row. */
export async function nearestLabels(
  connection: Connection,
  { comparison, top }: { readonly comparison: Comparison; readonly top: number },
): Promise<readonly (readonly [bigint, number])[]> {
  const rows = await connection.rows(nearestLabelsSql(comparison, top));
  return rows.map(({ label, similarity }) => [label as bigint, Number(similarity)]);
}

/** Labels of rows that the graph does not have. Their vectors are not read for it. */
async function textsLacking(
  { index, connection, comparison: { space } }: Pick<IndexSearch<unknown>, "index" | "connection" | "comparison">,
  rows: string,
): Promise<readonly bigint[]> {
  const pieces: BigUint64Array<ArrayBuffer>[] = [];
  await connection.eachChunk(labelsSql(rows, space), (chunk) => pieces.push(labelsOf(chunk)));
  const lacking = new Set<bigint>();
  for (const piece of pieces) for (const label of await index.lacking(piece)) lacking.add(label);
  return [...lacking];
}

async function widened<Found extends { readonly similarity: number }>(
  { index, comparison: { vector }, top, rowsOf }: IndexSearch<Found>,
  later: readonly (readonly [bigint, number])[],
): Promise<readonly Found[] | undefined> {
  for (let count = Math.max(fewestNeighbours, top * 2); count <= mostNeighbours; count *= 8) {
    const { labels, similarities } = await index.nearest(vector, count);
    const near = new Map([...later, ...Array.from(labels, (label, place) => [label, similarities[place]!] as const)]);
    const rows = await rowsOf(near);
    const last = rows[top - 1];
    if (last !== undefined && last.similarity >= similarities.at(-1)!) return rows;
    // All that the graph can name; a few texts may be out of its reach.
    if (labels.length < count) return undefined;
  }
  return undefined;
}
