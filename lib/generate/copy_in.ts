/**
 * A `COPY … FROM STDIN` over `npm:pg`, with the socket's back-pressure (PostgreSQL documentation, "COPY Operations").
 *
 * Promise: either every chunk is in the table, or none is.
 */
import type { Buffer } from "node:buffer";
import type pg from "pg";
import { postgresError } from "../source/postgres/postgres_error.ts";

/** What `npm:pg` hands to a query that copies in; its types leave this part out. */
interface CopyWire {
  readonly stream: {
    readonly writableNeedDrain: boolean;
    once(event: "drain" | "close", listener: () => void): void;
    off(event: "drain" | "close", listener: () => void): void;
  };
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/** Options of {@linkcode copyIn}. */
export interface CopyInOptions {
  /** `COPY … FROM STDIN …`. */
  readonly statement: string;
  /** Bytes of the format that the statement names; cut anywhere. Read while the server takes them. */
  readonly chunks: Iterable<Buffer>;
}

/**
 * Runs one COPY as one source commit, unless a transaction is open.
 *
 * Throws `connection` where the server goes away, `internal` where it refuses the rows, and what `chunks` threw.
 *
 * @returns Rows the server took.
 */
export async function copyIn(client: pg.Client, options: CopyInOptions): Promise<number> {
  const query = new CopyInQuery(options);
  // npm:pg queues anything with a `submit` method and calls the handlers below as messages arrive.
  client.query(query as unknown as pg.Submittable);
  return await query.done;
}

class CopyInQuery {
  readonly done: Promise<number>;
  readonly #options: CopyInOptions;
  #resolve: (rows: number) => void = () => {};
  #reject: (thrown: unknown) => void = () => {};
  #rows = 0;
  #sourceError: unknown;
  #failed = false;

  constructor(options: CopyInOptions) {
    this.#options = options;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(wire: CopyWire): void {
    wire.query(this.#options.statement);
  }

  handleCopyInResponse(wire: CopyWire): void {
    this.#send(wire).catch((thrown) => {
      this.#sourceError = thrown;
      wire.sendCopyFail("the rows could not be made");
    });
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(message.text)?.[1] ?? 0);
  }

  handleError(thrown: unknown): void {
    this.#failed = true;
    this.#reject(this.#sourceError ?? postgresError(thrown));
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#rows);
  }

  async #send(wire: CopyWire): Promise<void> {
    for (const chunk of this.#options.chunks) {
      wire.sendCopyFromChunk(chunk);
      if (wire.stream.writableNeedDrain) await drained(wire.stream);
      if (this.#failed) return;
    }
    wire.endCopyFrom();
  }
}

/** Waits until the socket takes more, or is gone; then the query is failed by the client. */
function drained(stream: CopyWire["stream"]): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      stream.off("drain", finish);
      stream.off("close", finish);
      resolve();
    };
    stream.once("drain", finish);
    stream.once("close", finish);
  });
}
