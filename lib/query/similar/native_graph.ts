/**
 * The native library of USearch, loaded without its package's own search for a build: that reads files of the system and
 * environment variables which a job has no business with.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { WeirError } from "../../errors.ts";

/** The library's class, as its own JavaScript uses it (2.26.2). */
export interface NativeGraph {
  size(): number;
  add(labels: BigUint64Array, vectors: Float32Array, threads: number): void;
  contains(labels: BigUint64Array): readonly boolean[];
  /** Labels, distances, and how many of them count. */
  search(
    vectors: Float32Array,
    count: number,
    threads: number,
  ): readonly [BigUint64Array, Float32Array, BigUint64Array];
  save(path: string): void;
  load(path: string): void;
  view(path: string): void;
}

interface Native {
  readonly CompiledIndex: new (
    dimensions: number,
    metric: "cos",
    scalar: string,
    connectivity: number,
    expansionAdd: number,
    expansionSearch: number,
    multi: boolean,
  ) => NativeGraph;
}

/**
 * How a graph is built: another shape is another graph. Of a million random vectors around 2,000 centres a search by one built
 * with 64 in sight found 0.944 of the ten nearest, by this one 0.960; building took two thirds more CPU time.
 */
export const graphShape = { scalar: "f16", connectivity: 16, expansionAdd: 128 } as const;

/**
 * How many vectors a search keeps in sight. Of a million random ones around 2,000 centres it then found 0.966 of the ten nearest, in
 * 2 ms; with 128 in sight 0.920, with 1,024 0.968 in 5 ms (128 dimensions, a graph built with 64).
 */
const expansionSearch = 512;

const folders: Readonly<Record<string, string>> = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-x64": "darwin-arm64+x64",
  "darwin-arm64": "darwin-arm64+x64",
  "win32-x64": "win32-x64",
};

let loaded: Native | undefined;

/** An empty graph. Throws `precondition` where the library does not run on this machine. */
export function nativeGraph(dimensions: number): NativeGraph {
  loaded ??= load();
  const { scalar, connectivity, expansionAdd } = graphShape;
  return new loaded.CompiledIndex(dimensions, "cos", scalar, connectivity, expansionAdd, expansionSearch, false);
}

function load(): Native {
  const machine = `${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    return require(join(dirname(require.resolve("usearch")), "../../../prebuilds", folders[machine]!, "usearch.node"));
  } catch (cause) {
    throw new WeirError("precondition", `The library of the index does not run on this machine (${machine})`, {
      cause,
      advice: "Search without it: --exact",
    });
  }
}
