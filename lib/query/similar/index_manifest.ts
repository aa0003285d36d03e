/** What a vector index says of itself: the one file that makes a graph count. */
import type { LocalStorage } from "../../storage/local.ts";
import type { KeptSnapshot } from "../../table/lake_table.ts";
import { graphShape } from "./native_graph.ts";
import type { VectorSpace } from "./vector_rows.ts";

/** An index: which graph, of which vectors, as of which snapshot. */
export interface IndexManifest extends VectorSpace {
  /** URI of the table's folder. */
  readonly table: string;
  /** The snapshot whose vectors the graph has, all of them. */
  readonly snapshot: Pick<KeptSnapshot, "id" | "timeMs">;
  /** Different texts whose vectors are in the graph; of some the rows may have left the table. */
  readonly texts: number;
  /** The graph's file: its name, its size, and the checksum of what was written. */
  readonly graph: { readonly file: string; readonly bytes: number; readonly checksum: number };
}

const manifestName = "index.json";
const shape = JSON.stringify({ version: 2, ...graphShape });

/** The index of a folder. Undefined where there is none, or none that this version of the code could have made. */
export async function readManifest(folder: LocalStorage): Promise<IndexManifest | undefined> {
  const bytes = await folder.read(manifestName);
  if (bytes === undefined) return undefined;
  const manifest = parsed(new TextDecoder().decode(bytes));
  if (manifest === undefined) return undefined;
  const graph = await folder.stat(manifest.graph.file);
  return graph?.bytes === manifest.graph.bytes ? manifest : undefined;
}

/** Makes a graph count, in one step; it must be durable. */
export async function publishManifest(folder: LocalStorage, manifest: IndexManifest): Promise<void> {
  const { snapshot: { id, timeMs } } = manifest;
  const text = JSON.stringify({ shape, ...manifest, snapshot: { id: String(id), timeMs } }, undefined, 2);
  await folder.put(manifestName, new TextEncoder().encode(text));
}

/** Removes what no manifest names: graphs that were replaced, and those of a process that was killed. */
export async function removeOthers(folder: LocalStorage, manifest: IndexManifest | undefined): Promise<void> {
  for await (const { path } of folder.list("")) {
    const isOurs = /\.(graph|tmp)$/.test(path);
    if (isOurs && path !== manifest?.graph.file) await folder.delete(path);
  }
}

function parsed(text: string): IndexManifest | undefined {
  try {
    const read = JSON.parse(text) as IndexManifest & { readonly shape: string };
    if (read.shape !== shape) return undefined;
    return { ...read, snapshot: { id: BigInt(read.snapshot.id), timeMs: read.snapshot.timeMs } };
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}
