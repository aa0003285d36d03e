/** A walsender connection: server identity, temporary slots, and the stream of changes. */
import { Buffer } from "node:buffer";
import { PostgresConnection, type WireConnection } from "./connection.ts";
import { formatLsn, parseLsn, type ServerIdentity } from "./lsn.ts";
import { statusUpdate } from "./pgoutput.ts";
import { replicationError } from "./postgres_error.ts";
import { identifier, literal } from "../../engine/quote.ts";

/** From where and what to stream. */
export interface StreamOptions {
  readonly slot: string;
  readonly publication: string;
  readonly afterLsn: bigint;
  /** One message of the walsender; the bytes are valid during the call only. */
  readonly onMessage: (message: Uint8Array) => void;
  /** The stream ended, with an error unless somebody closed it. */
  readonly onEnd: (thrown: unknown) => void;
}

/** A temporary slot and the snapshot that shows exactly what was committed before its consistent point. */
export interface SnapshotSlot {
  readonly consistentLsn: bigint;
  /** Dies with the next command on this connection. */
  readonly snapshot: string;
}

/** Milliseconds the server gets to end a stream before the socket is cut. */
const farewellMs = 500;

/** The connection. */
export class ReplicationConnection {
  readonly connection: PostgresConnection;
  #stream: StreamQuery | undefined;

  private constructor(connection: PostgresConnection) {
    this.connection = connection;
  }

  /** Connects. Throws `connection` or `authentication`. */
  static async open(url: string): Promise<ReplicationConnection> {
    return new ReplicationConnection(await PostgresConnection.open(url, { replication: true }));
  }

  /** Which server this is (`IDENTIFY_SYSTEM`). */
  async identify(): Promise<ServerIdentity> {
    const row = await this.#command<{ systemid: string; timeline: number }>("IDENTIFY_SYSTEM");
    return { systemId: row.systemid, timeline: Number(row.timeline) };
  }

  /** Makes a slot that goes with this connection. Waits for the transactions running now to end. */
  async createSnapshotSlot(name: string): Promise<SnapshotSlot> {
    const row = await this.#command<{ consistent_point: string; snapshot_name: string }>(
      `CREATE_REPLICATION_SLOT ${identifier(name)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`,
    );
    return { consistentLsn: parseLsn(row.consistent_point), snapshot: row.snapshot_name };
  }

  /** Starts to stream. Nothing else can run on this connection afterwards. */
  stream(options: StreamOptions): void {
    const publications = literal(identifier(options.publication));
    this.#stream = new StreamQuery(
      `START_REPLICATION SLOT ${identifier(options.slot)} LOGICAL ${formatLsn(options.afterLsn)} ` +
        `(proto_version '1', publication_names ${publications})`,
      options,
    );
    this.connection.client.query(this.#stream);
  }

  /** Stops reading from the socket; the server waits. */
  pause(): void {
    this.connection.wire.stream.pause();
  }

  /** Reads on. */
  resume(): void {
    this.connection.wire.stream.resume();
  }

  /** Tells the server what has been read and recorded. */
  sendStatus(
    read: { readonly writtenLsn: bigint; readonly recordedLsn: bigint },
    options: { readonly replyRequested: boolean },
  ): void {
    this.connection.wire.sendCopyFromChunk(Buffer.from(statusUpdate(read, options)));
  }

  /** Ends the stream in order, so that the slot is free for the next one; cuts the socket where that takes too long. */
  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) {
      this.resume();
      await stream.end(farewellMs);
    }
    this.connection.destroy();
  }

  async #command<T>(command: string): Promise<T> {
    try {
      return (await this.connection.client.query(command)).rows[0] as T;
    } catch (thrown) {
      throw replicationError(thrown);
    }
  }
}

/** A query object as `pg.Client` runs them (its `Submittable`). */
class StreamQuery {
  readonly #command: string;
  readonly #options: StreamOptions;
  readonly #ended = Promise.withResolvers<void>();
  #wire: (WireConnection & { endCopyFrom(): void }) | undefined;
  #closing = false;

  constructor(command: string, options: StreamOptions) {
    this.#command = command;
    this.#options = options;
  }

  submit(wire: unknown): void {
    this.#wire = wire as WireConnection & { endCopyFrom(): void };
    this.#wire.query(this.#command);
  }

  handleCopyData(message: { readonly chunk: Uint8Array }): void {
    if (!this.#closing) this.#options.onMessage(message.chunk);
  }

  handleCommandComplete(): void {}

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleError(thrown: unknown): void {
    this.#end(thrown);
  }

  handleReadyForQuery(): void {
    this.#end(new Error("The server ended the stream: connection closed"));
  }

  /** Sends CopyDone and waits for the server's own. */
  async end(limitMs: number): Promise<void> {
    this.#closing = true;
    this.#wire?.endCopyFrom();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([this.#ended.promise, promise]);
    clearTimeout(timer);
  }

  #end(thrown: unknown): void {
    this.#ended.resolve();
    if (!this.#closing) this.#options.onEnd(thrown);
    this.#closing = true;
  }
}
