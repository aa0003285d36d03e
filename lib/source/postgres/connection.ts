/**
 * One connection to the source server: settled session, errors of our kinds, and raw COPY output.
 *
 * Promise: a connection that fails between two queries does not end the process; the next query reports it.
 */
import type { Buffer } from "node:buffer";
import pg from "pg";
import { type ErrorDetail, WeirError } from "../../errors.ts";
import { CopyOut } from "./copy_out.ts";
import { postgresError } from "./postgres_error.ts";
import { sessionSettings } from "./session.ts";
import { wireSocket } from "./wire_socket.ts";

/** Options of {@linkcode PostgresConnection.open}. */
export interface ConnectionOptions {
  /** Opens a walsender, which takes replication commands beside SQL (PostgreSQL documentation, "Streaming Replication Protocol"). */
  readonly replication?: boolean;
  /** Milliseconds until an attempt to connect is given up. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/** The part of `npm:pg`'s connection that its types leave out. */
export interface WireConnection {
  readonly stream: { pause(): void; resume(): void; destroy(): void };
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  emit(event: "copyData", message: { readonly chunk: Uint8Array }): void;
}

/** A connection. Statements on one connection run one after another. */
export class PostgresConnection {
  readonly client: pg.Client;

  private constructor(client: pg.Client) {
    this.client = client;
  }

  /**
   * Connects and settles the session.
   *
   * Throws `connection` where the server cannot be reached, `authentication` where it refuses the user.
   */
  static async open(url: string, options: ConnectionOptions = {}): Promise<PostgresConnection> {
    const config = {
      connectionString: url,
      application_name: "weir",
      keepAlive: true,
      stream: wireSocket(() => connection.wire),
      ...(options.replication ? { replication: "database" } : {}),
    };
    const client: pg.Client = new pg.Client(config as unknown as pg.ClientConfig);
    const connection: PostgresConnection = new PostgresConnection(client);
    client.on("error", () => {});
    const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
    try {
      await connection.within(connectTimeoutMs, async () => {
        await client.connect();
        for (const statement of sessionSettings()) await client.query(statement);
      });
    } catch (thrown) {
      connection.destroy();
      throw postgresError(thrown, "connection");
    }
    return connection;
  }

  /** The wire under the client: socket and protocol messages. */
  get wire(): WireConnection {
    return (this.client as unknown as { connection: WireConnection }).connection;
  }

  /** Number of the server's process behind this connection; undefined where something between does not say. */
  get serverProcessId(): number | undefined {
    return (this.client as unknown as { processID: number | null }).processID ?? undefined;
  }

  /** Reads a small result whole. `T` is the caller's promise about the columns; 64-bit integers arrive as text. */
  async rows<T>(sql: string, parameters?: readonly unknown[]): Promise<readonly T[]> {
    try {
      const result = parameters === undefined
        ? await this.client.query(sql)
        : await this.client.query(sql, [...parameters]);
      return result.rows as T[];
    } catch (thrown) {
      throw postgresError(thrown);
    }
  }

  /** The first row. */
  async row<T>(sql: string, parameters?: readonly unknown[]): Promise<T | undefined> {
    return (await this.rows<T>(sql, parameters))[0];
  }

  /** Runs a statement for its effect. */
  async run(sql: string): Promise<void> {
    await this.rows(sql);
  }

  /**
   * Runs a `COPY … TO STDOUT`. Each call of `onRow` gets the bytes of one row, valid during the call only.
   * The socket pauses while a promise that `onRow` gave is pending, and the call ends once all of them have settled.
   */
  async copyOut(
    statement: string,
    onRow: (row: Uint8Array) => Promise<void> | undefined,
    detail: ErrorDetail = {},
  ): Promise<void> {
    const query = new CopyOut(statement, { onRow, wire: this.wire });
    try {
      this.client.query(query);
      await query.done;
    } catch (thrown) {
      throw postgresError(thrown, "internal", detail);
    }
  }

  /** Runs something that the server answers soon, and cuts the socket where it does not: then it throws `connection`, saying so. */
  async within<T>(limitMs: number, body: () => Promise<T>): Promise<T> {
    let isCut = false;
    const timer = setTimeout(() => {
      isCut = true;
      this.destroy();
    }, limitMs);
    try {
      return await body();
    } catch (thrown) {
      if (!isCut || (thrown instanceof WeirError && thrown.kind !== "connection")) throw thrown;
      // The client only says that its connection was terminated, and not that it was us.
      throw new WeirError("connection", `The server did not answer within ${limitMs / 1000} s`, { cause: thrown });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the session. Never throws: there is nothing left to save. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.destroy(), 1000);
    await this.client.end().catch(() => {});
    clearTimeout(timer);
  }

  /** Cuts the socket at once. */
  destroy(): void {
    this.wire.stream.destroy();
  }
}
