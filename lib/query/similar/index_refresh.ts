/**
 * Brings a vector index up to its table.
 *
 * Promise: whatever happens meanwhile, the folder holds the index of before or the one of after. Only vectors of texts that the
 * graph lacks are added; a text whose last row has left stays in it, until such texts are most of it and it is built anew.
 */
import type { Connection } from "../../engine/connection.ts";
import { literal } from "../../engine/quote.ts";
import { storageError, WeirError } from "../../errors.ts";
import { failPoint } from "../../fail_point.ts";
import type { LocalStorage } from "../../storage/local.ts";
import type { OpenedTable } from "../time_travel.ts";
import { VectorGraph } from "./graph.ts";
import { type RowsSince, rowsSince, unfitReason } from "./index_changes.ts";
import { type IndexManifest, publishManifest, readManifest, removeOthers } from "./index_manifest.ts";
import { labelColumn, labelSql } from "./text_label.ts";
import { VectorPieces } from "./vector_pieces.ts";
import type { VectorSpace } from "./vector_rows.ts";

/** What {@linkcode refreshIndex} works with. */
export interface RefreshOptions {
  readonly folder: LocalStorage;
  readonly opened: OpenedTable;
  readonly connection: Connection;
  /** Vectors of this model are indexed, and how many rows have one. */
  readonly space: VectorSpace & { readonly rows: bigint };
  /** Threads that build the graph. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** Told how many rows have been read. */
  readonly onRows?: ((rows: number) => void) | undefined;
}

/** How it ended. */
export interface IndexRefresh {
  readonly manifest: IndexManifest;
  readonly how: "current" | "added to" | "built";
  /** Vectors that came in. */
  readonly added: number;
  /** Why the index that was there was built anew. */
  readonly reason?: string;
}

/** From so many texts on for each row, most of a graph is of rows that have left. */
const mostTextsPerRow = 2;

/** Builds an index, or adds to the one that is there. One process at a time: `VectorIndex` sees to that. */
export async function refreshIndex(options: RefreshOptions): Promise<IndexRefresh> {
  const { folder, opened: { table, newest } } = options;
  const snapshot = (await table.history(newest)).find(({ id }) => id === newest.snapshotId);
  if (snapshot === undefined) throw new WeirError("precondition", "A table without a snapshot cannot be indexed");
  const manifest = await readManifest(folder);
  const reason = manifest === undefined ? undefined : await rebuildReason(manifest, options);
  const kept = reason === undefined ? manifest : undefined;
  using rows = await rowsOf(kept, options.opened);
  if (kept !== undefined && rows === undefined) return { manifest: kept, how: "current", added: 0 };
  await removeOthers(folder, manifest);
  try {
    const made = await makeGraph(options, { kept, rows: rows!.select });
    const { model, dimensions } = options.space;
    const { id, timeMs } = snapshot;
    const next = { table: table.location, snapshot: { id, timeMs }, model, dimensions, ...made.written };
    await publishManifest(folder, next);
    await failPoint("index.afterPublish");
    const how = kept === undefined ? "built" : "added to";
    return { manifest: next, how, added: made.added, ...(reason === undefined ? {} : { reason }) };
  } finally {
    // Also where the disk was full: half a graph takes up what little there is. Where it fails the next refresh does it.
    await readManifest(folder).then((named) => removeOthers(folder, named)).catch(() => {});
  }
}

async function rebuildReason(manifest: IndexManifest, options: RefreshOptions): Promise<string | undefined> {
  const { opened, space, folder } = options;
  if (BigInt(manifest.texts) > space.rows * BigInt(mostTextsPerRow)) return "most of its texts have left the table";
  const unfit = unfitReason(manifest, { opened, space });
  if (unfit !== undefined) return unfit;
  const { graph: { file, checksum }, dimensions } = manifest;
  try {
    using _ = await VectorGraph.open(`${await folder.prepareFolder("")}/${file}`, { dimensions, checksum, add: false });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof WeirError && thrown.kind === "tableUnreadable") return "it was damaged";
    throw thrown;
  }
}

/** The rows that are to be looked through: those since an index, or all. */
async function rowsOf(kept: IndexManifest | undefined, opened: OpenedTable): Promise<RowsSince | undefined> {
  if (kept !== undefined) return await rowsSince(kept, opened);
  const scan = await opened.table.scan(opened.newest);
  return { select: scan.sql, [Symbol.dispose]: () => scan[Symbol.dispose]() };
}

interface MadeGraph {
  readonly added: number;
  readonly written: Pick<IndexManifest, "texts" | "graph">;
}

async function makeGraph(
  options: RefreshOptions,
  { kept, rows }: { readonly kept: IndexManifest | undefined; readonly rows: string },
): Promise<MadeGraph> {
  const { folder, space: { dimensions } } = options;
  const path = await folder.prepareFolder("");
  using graph = kept === undefined
    ? await VectorGraph.create(dimensions)
    : await VectorGraph.open(`${path}/${kept.graph.file}`, { dimensions, checksum: kept.graph.checksum, add: true });
  const added = await addRows(graph, { ...options, rows });
  // A snapshot may bring nothing but a newer position.
  if (kept !== undefined && added === 0) return { added, written: { texts: kept.texts, graph: kept.graph } };
  const file = `${crypto.randomUUID()}.graph`;
  let checksum: number;
  try {
    checksum = await graph.save(`${path}/${file}`);
    await folder.publish(file);
  } catch (thrown) {
    throw await savingError(thrown, `${path}/${file}`);
  }
  await failPoint("index.afterGraph");
  const bytes = (await folder.stat(file))?.bytes ?? 0;
  return { added, written: { texts: await graph.size(), graph: { file, bytes, checksum } } };
}

/** The library says that it could not write, and not why: writing to the same file does. */
async function savingError(thrown: unknown, path: string): Promise<WeirError> {
  const why = await Deno.writeFile(path, new Uint8Array(2 ** 20), { append: true }).catch((thrown: unknown) => thrown);
  return storageError(why ?? thrown, path);
}

async function addRows(graph: VectorGraph, options: RefreshOptions & { readonly rows: string }): Promise<number> {
  const { connection, space: { model, dimensions }, threads, signal, onRows } = options;
  const select =
    `SELECT ${labelSql} AS ${labelColumn}, embedding_vector::FLOAT[${dimensions}] AS _weir_vector FROM (${options.rows})
    WHERE embedding_model = ${literal(model)} AND embedding_dimensions = ${dimensions}
      AND len(embedding_vector) = ${dimensions} AND ${labelColumn} IS NOT NULL`;
  const pieces = new VectorPieces(dimensions);
  let [added, read] = [0, 0];
  // While one piece is added the next is read; a third would only wait in memory.
  let underWay: Promise<number> = Promise.resolve(0);
  const hand = async () => {
    added += await underWay;
    underWay = graph.add(pieces.take(), threads);
    // Met where it is awaited; until then it must not count as unhandled.
    underWay.catch(() => {});
    onRows?.(read);
  };
  await connection.exclusively(async (native) => {
    const result = await native.stream(select);
    for (let chunk = await result.fetchChunk(); chunk?.rowCount; chunk = await result.fetchChunk()) {
      if (signal?.aborted) throw new WeirError("interrupted", "The index was not finished: the one before stays");
      pieces.put(chunk);
      read += chunk.rowCount;
      if (pieces.isFull) await hand();
    }
  });
  await hand();
  return added + await underWay;
}
