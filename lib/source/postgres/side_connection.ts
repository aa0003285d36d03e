/** The connection for questions beside the stream, opened when first needed and again when it was lost. */
import { PostgresConnection } from "./connection.ts";

/** The connection. */
export class SideConnection {
  readonly #url: string;
  #open: Promise<PostgresConnection> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** A connection that was alive when last seen. Throws `connection` or `authentication`. */
  async get(): Promise<PostgresConnection> {
    const opening = this.#open ?? this.#connect();
    this.#open = opening;
    try {
      return await opening;
    } catch (thrown) {
      if (this.#open === opening) this.#open = undefined;
      throw thrown;
    }
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await (await open?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<PostgresConnection> {
    const connection = await PostgresConnection.open(this.#url);
    connection.client.on("end", () => {
      this.#open = undefined;
    });
    return connection;
  }
}
