/** The worker's side of a vector graph: the native library, one request after the other. */
import { type ErrorKind, WeirError, type WeirErrorOptions } from "../../errors.ts";
import { fileChecksum } from "./file_checksum.ts";
import { type NativeGraph, nativeGraph } from "./native_graph.ts";

/** What a file has, and what it is opened for. */
export interface OpenedGraph {
  readonly dimensions: number;
  /** Of the file as it was written. */
  readonly checksum: number;
  /** To be added to, and not only to be searched where it lies. */
  readonly add: boolean;
}

/** What can be asked for. The first is `create` or `open`. */
export type GraphWork =
  | { readonly kind: "create"; readonly dimensions: number }
  | ({ readonly kind: "open"; readonly path: string } & OpenedGraph)
  | {
    readonly kind: "add";
    readonly labels: BigUint64Array;
    readonly vectors: Float32Array;
    readonly threads: number;
  }
  | { readonly kind: "lacking"; readonly labels: BigUint64Array }
  | { readonly kind: "nearest"; readonly vector: Float32Array; readonly count: number }
  | { readonly kind: "size" }
  | { readonly kind: "save"; readonly path: string };

/** A request and its number. */
export type GraphRequest = GraphWork & { readonly request: number };

/** The answer to one request. */
export interface GraphReply {
  readonly request: number;
  readonly answer?: unknown;
  readonly failure?: {
    readonly errorKind: ErrorKind;
    readonly message: string;
    readonly about: Pick<WeirErrorOptions, "advice" | "detail">;
  };
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<GraphRequest>) => void) | null;
  postMessage(reply: GraphReply): void;
}

const scope = globalThis as unknown as WorkerScope;
let graph: NativeGraph | undefined;

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage({ request: data.request, answer: work(data) });
  } catch (thrown) {
    scope.postMessage({ request: data.request, failure: failureOf(thrown) });
  }
};

function work(asked: GraphWork): unknown {
  switch (asked.kind) {
    case "create":
      graph = nativeGraph(asked.dimensions);
      return;
    case "open":
      graph = opened(asked);
      return;
    case "add":
      return add(asked);
    case "lacking": {
      const isThere = required().contains(asked.labels);
      return asked.labels.filter((_, index) => !isThere[index]);
    }
    case "nearest":
      return nearest(asked);
    case "size":
      return required().size();
    case "save":
      return save(asked.path);
  }
}

function opened({ path, dimensions, checksum, add }: GraphWork & { readonly kind: "open" }): NativeGraph {
  const native = nativeGraph(dimensions);
  try {
    // The library looks at the head of the file alone.
    if (fileChecksum(path) !== checksum) throw new RangeError("The checksum is another");
    // What is only searched stays in the file: the system reads what is asked for, and shares it between processes.
    if (add) native.load(path);
    else native.view(path);
  } catch (cause) {
    throw new WeirError("tableUnreadable", "The index is damaged", {
      cause,
      detail: { path },
      advice: "Build the index anew with --index, or search without it: --exact",
    });
  }
  return native;
}

function save(path: string): number {
  try {
    required().save(path);
    return fileChecksum(path);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new WeirError("storage", `The index cannot be written: ${what}`, { cause, detail: { path } });
  }
}

/**
 * The first vectors of a graph come one by one: threads that add to a small one at the same time do not see each other's, and two in a
 * thousand could not be found any more (800 vectors, 2 threads); after so many none was lost of 4,000.
 */
const oneByOne = 4096;

/** The library refuses all of a call in which one label is there already. */
function add({ labels, vectors, threads }: GraphWork & { readonly kind: "add" }): number {
  const native = required();
  const dimensions = vectors.length / labels.length;
  const isThere = labels.length === 0 ? [] : native.contains(labels);
  const seen = new Set<bigint>();
  let fresh = 0;
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!;
    if (isThere[index] || seen.has(label)) continue;
    seen.add(label);
    if (index !== fresh) vectors.copyWithin(fresh * dimensions, index * dimensions, (index + 1) * dimensions);
    labels[fresh++] = label;
  }
  const alone = Math.max(0, Math.min(fresh, oneByOne - native.size()));
  const put = (from: number, to: number, by: number) => {
    if (from < to) native.add(labels.subarray(from, to), vectors.subarray(from * dimensions, to * dimensions), by);
  };
  put(0, alone, 1);
  put(alone, fresh, threads);
  return fresh;
}

function nearest({ vector, count }: GraphWork & { readonly kind: "nearest" }) {
  const native = required();
  if (native.size() === 0) return { labels: new BigUint64Array(), similarities: new Float32Array() };
  const [labels, distances, [found = 0n]] = native.search(vector, Math.min(count, native.size()), 1);
  return {
    labels: labels.slice(0, Number(found)),
    similarities: distances.slice(0, Number(found)).map((distance) => 1 - distance),
  };
}

function required(): NativeGraph {
  if (graph === undefined) throw new TypeError("Cannot ask a vector graph for anything before it is there");
  return graph;
}

function failureOf(thrown: unknown): NonNullable<GraphReply["failure"]> {
  if (thrown instanceof WeirError) {
    const { kind, message, advice, detail } = thrown;
    return { errorKind: kind, message, about: { advice, detail } };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { errorKind: "internal", message: `The vector index failed: ${message}`, about: {} };
}
