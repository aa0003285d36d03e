/**
 * Framing of the logical replication stream, protocol version 1 in text mode (PostgreSQL documentation, "Logical Replication
 * Message Formats" and "Streaming Replication Protocol"). Row messages are not read here: their bytes go straight from
 * the buffer into the spool (see tuple_spool.ts).
 */

/** First byte of what a walsender sends inside CopyData. */
export const streamMessage = { data: 0x77, keepalive: 0x6b } as const;

/** Bytes before the pgoutput message in a `data` message: type, start, end, clock. */
export const dataHeaderBytes = 25;

/** First byte of a pgoutput message. */
export const messageType = {
  begin: 0x42,
  commit: 0x43,
  relation: 0x52,
  insert: 0x49,
  update: 0x55,
  delete: 0x44,
  truncate: 0x54,
} as const;

/** First byte of a tuple inside a row message. */
export const tupleType = { key: 0x4b, old: 0x4f, new: 0x4e } as const;

/** First byte of a value inside a tuple. */
export const valueType = { null: 0x6e, unchanged: 0x75, text: 0x74 } as const;

/** A column of a Relation message. */
export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity. */
  readonly inIdentity: boolean;
}

/** A Relation message: sent before the first row of a table and whenever the table may have changed. */
export interface RelationMessage {
  readonly oid: number;
  readonly namespace: string;
  readonly table: string;
  /** `d` default, `n` nothing, `f` full, `i` index. */
  readonly replicaIdentity: string;
  readonly columns: readonly RelationColumn[];
}

/** A Commit message. */
export interface CommitMessage {
  readonly endLsn: bigint;
  readonly timeMs: number;
}

/** A keepalive of the server. */
export interface KeepaliveMessage {
  /** Everything committed before this point has been sent before this message. */
  readonly walEnd: bigint;
  readonly replyRequested: boolean;
}

/** 2000-01-01 in epoch milliseconds; PostgreSQL counts microseconds from there. */
const postgresEpochMs = 946_684_800_000;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads a keepalive (`k`). */
export function readKeepalive(bytes: Uint8Array): KeepaliveMessage {
  return { walEnd: viewOf(bytes).getBigUint64(1), replyRequested: bytes[17] === 1 };
}

/** LSN of the commit record a transaction that begins here will end with. */
export function readBegin(bytes: Uint8Array, offset: number): bigint {
  return viewOf(bytes).getBigUint64(offset + 1);
}

/** Reads a Commit message. */
export function readCommit(bytes: Uint8Array, offset: number): CommitMessage {
  const view = viewOf(bytes);
  const micros = view.getBigInt64(offset + 18);
  return { endLsn: view.getBigUint64(offset + 10), timeMs: postgresEpochMs + Math.floor(Number(micros) / 1000) };
}

/** Reads a Relation message. */
export function readRelation(bytes: Uint8Array, offset: number): RelationMessage {
  const view = viewOf(bytes);
  let at = offset + 5;
  const text = () => {
    const end = bytes.indexOf(0, at);
    const value = decoder.decode(bytes.subarray(at, end));
    at = end + 1;
    return value;
  };
  const [namespace, table] = [text() || "pg_catalog", text()];
  const replicaIdentity = String.fromCharCode(view.getUint8(at));
  const count = view.getInt16(at + 1);
  at += 3;
  const columns: RelationColumn[] = [];
  for (let index = 0; index < count; index++) {
    const inIdentity = (view.getUint8(at++) & 1) === 1;
    const name = text();
    columns.push({ name, inIdentity, typeOid: view.getUint32(at), typeModifier: view.getInt32(at + 4) });
    at += 8;
  }
  return { oid: view.getUint32(offset + 1), namespace, table, replicaIdentity, columns };
}

/** Table oids of a Truncate message; the tables a CASCADE reached are among them. */
export function readTruncate(bytes: Uint8Array, offset: number): readonly number[] {
  const view = viewOf(bytes);
  const count = view.getInt32(offset + 1);
  return Array.from({ length: count }, (_, index) => view.getUint32(offset + 6 + index * 4));
}

/** Big-endian, without the bounds checks and the object of a DataView: this runs for every row and value. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number);
}

/** A Standby status update (`r`): what we have read, and what the server may forget. */
export function statusUpdate(
  read: { readonly writtenLsn: bigint; readonly recordedLsn: bigint },
  options: { readonly replyRequested: boolean },
): Uint8Array {
  const bytes = new Uint8Array(34);
  const view = viewOf(bytes);
  view.setUint8(0, 0x72);
  view.setBigUint64(1, read.writtenLsn);
  view.setBigUint64(9, read.recordedLsn);
  view.setBigUint64(17, read.recordedLsn);
  view.setBigInt64(25, BigInt(Date.now() - postgresEpochMs) * 1000n);
  view.setUint8(33, options.replyRequested ? 1 : 0);
  return bytes;
}
