/**
 * From walsender messages to batches: which row goes where, and where a batch ends.
 *
 * Promise: a batch ends between two source transactions, never inside one, and at every cut point. A transaction belongs
 * before a point exactly if its commit record starts before it: that is how a slot and its exported snapshot divide
 * transactions, and how a stream restarted from the point would.
 */
import type { BatchBuilder } from "./batch_builder.ts";
import type { CapturedTable } from "./captured_table.ts";
import type { CutPoints } from "./cut_points.ts";
import {
  dataHeaderBytes,
  messageType,
  readBegin,
  readCommit,
  readInt32,
  readKeepalive,
  readRelation,
  readTruncate,
  type RelationMessage,
  streamMessage,
} from "./pgoutput.ts";

/** What a {@linkcode StreamDecoder} calls. */
export interface StreamDecoderOptions {
  readonly builder: BatchBuilder;
  readonly cutPoints: CutPoints;
  readonly tables: ReadonlyMap<number, CapturedTable>;
  /** The batch ends at a point; gives the next one. */
  readonly cut: (lsn: bigint) => BatchBuilder;
  /** A table may have changed; nothing more may be handed in until the caller has applied it. */
  readonly onRelation: (message: RelationMessage, commitLsn: bigint) => void;
  /** A source transaction ended. */
  readonly onCommit: () => void;
  /** The server wants to hear from us. */
  readonly onReplyRequested: () => void;
}

/** Decodes one connection's messages. */
export class StreamDecoder {
  /** Everything committed before this point has been read. */
  seenLsn: bigint;
  inTransaction = false;
  #builder: BatchBuilder;
  #commitLsn = 0n;
  readonly #options: StreamDecoderOptions;

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#builder = options.builder;
    this.seenLsn = options.builder.afterLsn;
  }

  /** Takes one message of the walsender. */
  handle(message: Uint8Array): void {
    if (message[0] === streamMessage.data) this.#data(message);
    else if (message[0] === streamMessage.keepalive) this.#keepalive(message);
  }

  /** Ends the batch here, between two transactions. */
  cut(lsn: bigint): void {
    this.#builder = this.#options.cut(lsn);
    this.#options.cutPoints.passed(lsn);
  }

  #data(message: Uint8Array): void {
    switch (message[dataHeaderBytes]) {
      case messageType.insert:
      case messageType.update:
      case messageType.delete:
        return this.#row(message, message[dataHeaderBytes] as number);
      case messageType.begin:
        return this.#begin(readBegin(message, dataHeaderBytes));
      case messageType.commit:
        return this.#commit(message);
      case messageType.relation:
        return this.#options.onRelation(readRelation(message, dataHeaderBytes), this.#commitLsn);
      case messageType.truncate:
        return this.#truncate(message);
    }
  }

  #row(message: Uint8Array, type: number): void {
    const table = this.#options.tables.get(readInt32(message, dataHeaderBytes + 1) >>> 0);
    const spool = table && this.#builder.spoolOf(table);
    if (spool === undefined) return;
    const ordinal = this.#builder.nextOrdinal(message.length);
    if (type === messageType.insert) spool.insert(message, dataHeaderBytes, ordinal);
    else if (type === messageType.update) spool.update(message, dataHeaderBytes, ordinal);
    else spool.delete(message, dataHeaderBytes, ordinal);
  }

  #begin(commitLsn: bigint): void {
    this.#cutUpTo(commitLsn);
    this.inTransaction = true;
    this.#commitLsn = commitLsn;
  }

  #commit(message: Uint8Array): void {
    const { endLsn, timeMs } = readCommit(message, dataHeaderBytes);
    this.inTransaction = false;
    this.seenLsn = endLsn;
    this.#builder.commitTimeMs = timeMs;
    this.#cutUpTo(endLsn);
    this.#options.onCommit();
  }

  #truncate(message: Uint8Array): void {
    for (const oid of readTruncate(message, dataHeaderBytes)) {
      const table = this.#options.tables.get(oid);
      if (table !== undefined) this.#builder.truncate(table);
    }
  }

  #keepalive(message: Uint8Array): void {
    const { walEnd, replyRequested } = readKeepalive(message);
    if (!this.inTransaction) {
      if (walEnd > this.seenLsn) this.seenLsn = walEnd;
      // A point may have been added after the stream had already come so far.
      this.#cutUpTo(this.seenLsn);
    }
    if (replyRequested) this.#options.onReplyRequested();
  }

  #cutUpTo(lsn: bigint): void {
    const { cutPoints } = this.#options;
    for (let point = cutPoints.next; point !== undefined && point <= lsn; point = cutPoints.next) {
      if (point > this.#builder.afterLsn) this.cut(point);
      else cutPoints.passed(point);
    }
  }
}
