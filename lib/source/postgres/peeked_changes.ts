/**
 * A slot's changes, looked at without being taken: the slot stands where it stood afterwards, for its own job to read on.
 *
 * Behaves towards a change stream as a walsender does that has nothing more to send once the end is reached.
 */
import { identifier, literal } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import type { ChangeConnection } from "./change_stream.ts";
import { PostgresConnection } from "./connection.ts";
import { formatLsn } from "./lsn.ts";
import { dataHeaderBytes, messageType, readBegin, streamMessage } from "./pgoutput.ts";
import { replicationError } from "./postgres_error.ts";
import type { StreamOptions } from "./replication_connection.ts";

/** A reading of a slot up to a point. */
export class PeekedChanges implements ChangeConnection {
  readonly #connection: PostgresConnection;
  readonly #upToLsn: bigint;

  private constructor(connection: PostgresConnection, upToLsn: bigint) {
    this.#connection = connection;
    this.#upToLsn = upToLsn;
  }

  /** Connects. Throws `connection` or `authentication`. */
  static async open(url: string, upToLsn: bigint): Promise<PeekedChanges> {
    return new PeekedChanges(await PostgresConnection.open(url), upToLsn);
  }

  /** Hands over the changes, then a word that there are no more up to the point. The slot must not be in use. */
  stream(options: StreamOptions): void {
    const select = `SELECT encode(data, 'hex') FROM pg_catalog.pg_logical_slot_peek_binary_changes(${
      literal(options.slot)
    }, ${literal(formatLsn(this.#upToLsn))}, NULL, 'proto_version', '1', 'publication_names', ${
      literal(identifier(options.publication))
    })`;
    const wanted = laterTransactions(options.afterLsn);
    this.#connection.copyOut(`COPY (${select}) TO STDOUT`, (line) => {
      const message = dataMessage(line);
      if (wanted(message)) options.onMessage(message);
      return undefined;
    }).then(
      () => options.onMessage(endMessage(this.#upToLsn)),
      (thrown) => options.onEnd(peekError(thrown, options.slot)),
    );
  }

  pause(): void {
    this.#connection.wire.stream.pause();
  }

  resume(): void {
    this.#connection.wire.stream.resume();
  }

  /** Nothing is taken, so nothing is confirmed. */
  sendStatus(): void {}

  close(): Promise<void> {
    this.#connection.destroy();
    return Promise.resolve();
  }
}

/** A job that begins to read its slot goes first: this reading is given up, and not tried again while it lasts. */
function peekError(thrown: unknown, slot: string): WeirError {
  const error = replicationError(thrown instanceof WeirError ? thrown.cause : thrown);
  if (error.kind !== "fenced") return error;
  return new WeirError("conflict", `A job began to read slot "${slot}" while its changes were looked at`, {
    cause: thrown,
    advice: "Start again: the running job is then waited for",
  });
}

/**
 * Whether a message is of a transaction whose commit record stands at a point or behind it: the slot may be far behind the point.
 * What is said of tables is said once and holds for all that follows.
 */
function laterTransactions(afterLsn: bigint): (message: Uint8Array) => boolean {
  let isLater = false;
  return (message) => {
    const type = message[dataHeaderBytes];
    if (type === messageType.begin) isLater = readBegin(message, dataHeaderBytes) >= afterLsn;
    return isLater || type === messageType.relation;
  };
}

/** A line of hexadecimal digits as the message that a walsender would have sent. Its header is empty: nobody reads it. */
function dataMessage(line: Uint8Array): Uint8Array {
  const bytes = (line.at(-1) === 0x0a ? line.length - 1 : line.length) / 2;
  const message = new Uint8Array(dataHeaderBytes + bytes);
  message[0] = streamMessage.data;
  for (let index = 0; index < bytes; index++) {
    message[dataHeaderBytes + index] = (digit(line[2 * index]!) << 4) | digit(line[2 * index + 1]!);
  }
  return message;
}

/** Value of a lower-case hexadecimal digit. */
function digit(character: number): number {
  return character < 0x3a ? character - 0x30 : character - 0x57;
}

/** A keepalive: everything committed before the point has been sent. */
function endMessage(lsn: bigint): Uint8Array {
  const message = new Uint8Array(18);
  message[0] = streamMessage.keepalive;
  new DataView(message.buffer).setBigUint64(1, lsn);
  return message;
}
