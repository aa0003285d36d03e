/** The connection for questions beside the stream, opened when first needed and again when it was lost. */
import { WeirError } from "../../errors.ts";
import { PostgresConnection } from "./connection.ts";
import { codeOf } from "./postgres_error.ts";

/** Milliseconds a question beside the stream may take: the catalogue answers in less, and a dead network never does. */
export const answerMs = 30_000;

/** The connection. */
export class SideConnection {
  readonly #url: string;
  #open: Promise<PostgresConnection> | undefined;
  readonly #dropped = new WeakSet<PostgresConnection>();

  constructor(url: string) {
    this.#url = url;
  }

  /** A connection that was alive when last seen. Throws `connection` or `authentication`. */
  async get(): Promise<PostgresConnection> {
    const opening: Promise<PostgresConnection> = this.#open ?? this.#connect(() => {
      if (this.#open === opening) this.#open = undefined;
    });
    this.#open = opening;
    try {
      return await opening;
    } catch (thrown) {
      if (this.#open === opening) this.#open = undefined;
      throw thrown;
    }
  }

  /**
   * Asks something that the server answers at once, again on a new connection where {@linkcode drop} came between. Throws
   * `connection` where no answer comes: its socket is cut then.
   */
  async ask<T>(question: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = await this.get();
    try {
      return await connection.within(answerMs, () => question(connection));
    } catch (thrown) {
      if (!this.#dropped.has(connection)) throw thrown;
      return await this.ask(question);
    }
  }

  /** Gives the connection up without a farewell: what broke the stream may have broken this one too. */
  drop(): void {
    this.#open?.then((connection) => {
      this.#dropped.add(connection);
      connection.destroy();
    }, () => {});
    this.#open = undefined;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await (await open?.catch(() => undefined))?.close();
  }

  async #connect(onEnd: () => void): Promise<PostgresConnection> {
    const connection = await PostgresConnection.open(this.#url);
    connection.client.on("end", onEnd);
    return connection;
  }
}

/** Whether a server that is up takes no new connections, because it is told to stop. */
export async function isStopping(url: string): Promise<boolean> {
  try {
    const connection = await PostgresConnection.open(url);
    await connection.close();
    return false;
  } catch (thrown) {
    return thrown instanceof WeirError && codeOf(thrown.cause) === "57P03";
  }
}
