/** Names of engine tables and files that live for one batch, and their removal. */
import type { Connection } from "./connection.ts";
import { identifier } from "./quote.ts";

let scratches = 0;

/** Hands out names no other batch uses; disposing drops what was made under them. */
export class Scratch {
  readonly #connection: Connection;
  readonly #number = ++scratches;
  readonly #names: string[] = [];
  readonly #files: string[] = [];
  readonly #kept = new DisposableStack();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A name of its own for a purpose. */
  readonly name = (purpose: string): string => {
    const name = `batch_${this.#number}_${this.#names.length}_${purpose}`;
    this.#names.push(name);
    return name;
  };

  /** The path of a file of its own, in the engine's folder for what is temporary. */
  readonly file = (purpose: string): string => {
    const path = `${this.#connection.temporaryFolder}/${purpose}_${crypto.randomUUID()}`;
    this.#files.push(path);
    return path;
  };

  /** Disposes something with the batch. */
  keep(resource: Disposable): void {
    this.#kept.use(resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Views first: a view may stand on a table made before it.
    for (const name of this.#names.toReversed()) {
      await this.#connection.run(`DROP VIEW IF EXISTS ${identifier(name)}`).catch(() => {});
      await this.#connection.run(`DROP TABLE IF EXISTS ${identifier(name)}`).catch(() => {});
    }
    for (const path of this.#files) await Deno.remove(path).catch(() => {});
    this.#kept.dispose();
  }
}
