/**
 * A graph of vectors in a worker, so that neither building nor searching it blocks the event loop. It finds the approximately
 * nearest of many vectors without looking at most of them.
 *
 * Method: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World
 * graphs" (2018), by the library USearch.
 */
import { WeirError } from "../../errors.ts";
import type { GraphReply, GraphRequest, GraphWork, OpenedGraph } from "./graph_worker.ts";

/** Vectors and their labels, a vector after the other. */
export interface LabelledVectors {
  readonly labels: BigUint64Array<ArrayBuffer>;
  readonly vectors: Float32Array<ArrayBuffer>;
}

/** Labels in the order of their vectors' similarity, the most similar first. */
export interface Neighbours {
  readonly labels: BigUint64Array;
  /** Cosines, to the precision that the graph keeps vectors with. */
  readonly similarities: Float32Array;
}

/** A graph at work. What is asked of it is done one after another. */
export class VectorGraph implements Disposable {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #requests = 0;
  #stopped: WeirError | undefined;

  private constructor() {
    this.#worker = new Worker(new URL("./graph_worker.ts", import.meta.url), { type: "module", name: "graph" });
    this.#worker.onmessage = ({ data }: MessageEvent<GraphReply>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#stop(new WeirError("internal", `The worker of a vector index failed: ${event.message}`));
    };
  }

  /** An empty graph. Throws `precondition` where the library does not run on this machine. */
  static async create(dimensions: number): Promise<VectorGraph> {
    return await VectorGraph.#start({ kind: "create", dimensions });
  }

  /** A graph out of a file: to be searched where it lies, or to be added to. Throws `tableUnreadable` where it is damaged. */
  static async open(path: string, options: OpenedGraph): Promise<VectorGraph> {
    return await VectorGraph.#start({ kind: "open", path, ...options });
  }

  static async #start(work: GraphWork): Promise<VectorGraph> {
    const graph = new VectorGraph();
    try {
      await graph.#ask(work);
      return graph;
    } catch (thrown) {
      graph[Symbol.dispose]();
      throw thrown;
    }
  }

  /** Adds the vectors whose labels it does not have yet, and says how many those were. Takes over the buffers. */
  async add({ labels, vectors }: LabelledVectors, threads: number): Promise<number> {
    return await this.#ask({ kind: "add", labels, vectors, threads }, [labels.buffer, vectors.buffer]) as number;
  }

  /** Those of some labels that it does not have. */
  async lacking(labels: BigUint64Array<ArrayBuffer>): Promise<BigUint64Array> {
    return await this.#ask({ kind: "lacking", labels }) as BigUint64Array;
  }

  /** The nearest of its vectors, at most so many. */
  async nearest(vector: Float32Array, count: number): Promise<Neighbours> {
    return await this.#ask({ kind: "nearest", vector, count }) as Neighbours;
  }

  /** Vectors that it has. */
  async size(): Promise<number> {
    return await this.#ask({ kind: "size" }) as number;
  }

  /** Writes it into a new file, and says the file's checksum. */
  async save(path: string): Promise<number> {
    return await this.#ask({ kind: "save", path }) as number;
  }

  /** Ends the worker, whatever it does. */
  [Symbol.dispose](): void {
    this.#stop(new WeirError("interrupted", "The vector index was closed"));
  }

  #ask(work: GraphWork, transfer: Transferable[] = []): Promise<unknown> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    const request: GraphRequest = { ...work, request: this.#requests++ };
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(request.request, answer);
    this.#worker.postMessage(request, transfer);
    return answer.promise;
  }

  #receive({ request, answer, failure }: GraphReply): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (failure === undefined) pending?.resolve(answer);
    else pending?.reject(new WeirError(failure.errorKind, failure.message, failure.about));
  }

  #stop(error: WeirError): void {
    this.#stopped ??= error;
    this.#worker.terminate();
    for (const pending of this.#pending.values()) pending.reject(this.#stopped);
    this.#pending.clear();
  }
}
