/**
 * The running stream: one walsender connection, kept alive and replaced when it is lost, read no faster than batches are
 * taken.
 *
 * Promise: batches come in order and without gaps. While nobody takes one, at most one finished batch and the one being
 * filled stand on disk; the socket pauses, the status replies go on. When the connection is lost, reading starts again
 * after the last finished batch, and what was half read is removed.
 */
import type { MicroBatch } from "../../change/micro_batch.ts";
import { toWeirError, WeirError } from "../../errors.ts";
import { BatchBuilder } from "./batch_builder.ts";
import type { CapturedTable } from "./captured_table.ts";
import type { CutPoints } from "./cut_points.ts";
import { Keepalive, type KeepaliveLimits } from "./keepalive.ts";
import { formatLsn } from "./lsn.ts";
import { tryPatiently } from "./patience.ts";
import type { RelationMessage } from "./pgoutput.ts";
import { replicationError } from "./postgres_error.ts";
import type { RelationMemory } from "./relation_memory.ts";
import type { ReplicationConnection } from "./replication_connection.ts";
import type { SpoolFolder } from "./spool_folder.ts";
import { StreamDecoder } from "./stream_decoder.ts";

/** Where batches end and how long things may take. */
export interface StreamLimits extends KeepaliveLimits {
  /** A batch ends at the next source commit once it holds so many rows. */
  readonly batchRows: number;
  /** Or so many bytes of row messages. */
  readonly batchBytes: number;
  /** Or is so many milliseconds old and somebody waits for it. */
  readonly batchMs: number;
  /** Without changes an empty batch comes after so many milliseconds, so that positions move on. */
  readonly heartbeatMs: number;
  /** Milliseconds to go on trying to connect, at first and after the connection was lost. */
  readonly reconnectMs: number;
  readonly maxValueBytes: number;
}

/** What changes come from: a walsender connection, or what behaves like one. */
export type ChangeConnection = Pick<ReplicationConnection, "stream" | "pause" | "resume" | "sendStatus" | "close">;

/** What a {@linkcode ChangeStream} works with. */
export interface ChangeStreamOptions {
  readonly instance: string;
  readonly afterLsn: bigint;
  readonly slot: string;
  readonly publication: string;
  readonly folder: SpoolFolder;
  readonly memory: RelationMemory;
  readonly tables: ReadonlyMap<number, CapturedTable>;
  readonly cutPoints: CutPoints;
  readonly limits: StreamLimits;
  /** A new connection to the same server, its slot checked against the point. */
  readonly connect: (afterLsn: bigint) => Promise<ChangeConnection>;
  /** Looks a changed table up and applies it. */
  readonly resolve: (message: RelationMessage, place: RelationPlace) => Promise<void>;
  /** Up to where everything is recorded in the lake. */
  readonly recordedLsn: () => bigint;
  /** Whether the server is on its way down. */
  readonly isStopping: () => Promise<boolean>;
}

/** Where a Relation message stands. */
export interface RelationPlace {
  readonly commitLsn: bigint;
  readonly builder: BatchBuilder;
  /** False once the connection it came from is gone: nothing may be applied then. */
  readonly isCurrent: () => boolean;
}

const tickMs = 20;

/** The stream. */
export class ChangeStream {
  readonly #options: ChangeStreamOptions;
  readonly #keepalive: Keepalive;
  #builder: BatchBuilder;
  #decoder: StreamDecoder;
  #connection: ChangeConnection | undefined;
  /** Finished batches that nobody has taken. */
  readonly #ready: Promise<MicroBatch>[] = [];
  /** Messages that arrived while reading was held. */
  #kept: Uint8Array[] = [];
  readonly #holds = new Set<symbol>();
  /** The batch is due but another one waits to be taken. */
  #full = false;
  #waitsForDisk = false;
  #isPaused = false;
  #waiting: PromiseWithResolvers<void> | undefined;
  #failure: WeirError | undefined;
  #lastCutMs = Date.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #stop = new AbortController();
  #connecting: Promise<void> | undefined;

  constructor(options: ChangeStreamOptions) {
    this.#options = options;
    this.#keepalive = new Keepalive(options.limits);
    this.#builder = this.#newBuilder(options.afterLsn);
    this.#decoder = this.#newDecoder();
  }

  get #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Up to where the stream has been read. */
  get seenLsn(): bigint {
    return this.#decoder.seenLsn;
  }

  /** Whether there is something before a point that nobody took yet. */
  hasUntaken(lsn: bigint): boolean {
    return !this.#builder.isEmpty || this.#ready.length > 0 || this.#kept.length > 0 || this.#decoder.inTransaction ||
      this.#decoder.seenLsn < lsn;
  }

  /** Connects and starts to read. Throws `connection` once the server was out of reach for `reconnectMs`. */
  async open(): Promise<void> {
    this.#options.memory.rewind(this.#builder.afterLsn);
    this.#connecting = this.#connectPatiently((kind) => kind === "connection");
    await this.#connecting;
    if (this.#closed) return;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** The next batch; undefined once the stream is closed. */
  async next(): Promise<MicroBatch | undefined> {
    while (true) {
      const batch = this.#ready.shift();
      if (batch !== undefined) {
        this.#continue();
        return await batch;
      }
      if (this.#closed) return undefined;
      if (this.#failure !== undefined) throw this.#failure;
      this.#cutIfDue();
      if (this.#ready.length > 0) continue;
      this.#waiting = Promise.withResolvers();
      await this.#waiting.promise;
      this.#waiting = undefined;
    }
  }

  /** Stops reading until the given function is called; no batch ends meanwhile. */
  hold(): () => void {
    const token = Symbol("hold");
    this.#holds.add(token);
    this.#adjustFlow();
    return () => {
      this.#holds.delete(token);
      this.#continue();
    };
  }

  /** Marks a table whose row events do not tell everything, with the next batch. */
  requireCopy(table: CapturedTable, reason: string): void {
    this.#builder.requireCopy(table, reason);
  }

  /** Ends the stream and removes what nobody took. */
  async close(): Promise<void> {
    if (this.#closed) return;
    clearInterval(this.#timer);
    this.#stop.abort();
    this.#waiting?.resolve();
    await this.#connecting?.catch(() => {});
    await this.#connection?.close();
    await this.#builder.discard();
    for (const batch of this.#ready.splice(0)) await batch.then((taken) => taken.release(), () => {});
  }

  async #connect(): Promise<void> {
    const { slot, publication } = this.#options;
    const { afterLsn } = this.#builder;
    const connection = await this.#options.connect(afterLsn);
    if (this.#closed) return await connection.close();
    this.#connection = connection;
    this.#keepalive.connected();
    this.#isPaused = false;
    connection.stream({
      slot,
      publication,
      afterLsn,
      onMessage: (message) => this.#receive(message),
      onEnd: (thrown) => this.#lost(connection, thrown),
    });
    this.#adjustFlow();
  }

  #receive(message: Uint8Array): void {
    // What follows a message that failed stands in the same bytes: a batch that ended there would lack the message.
    if (this.#failure !== undefined) return;
    this.#keepalive.heard();
    try {
      if (this.#isHeld || this.#kept.length > 0) {
        // A copy: `slice` of a node Buffer would share the bytes that the client overwrites next.
        this.#kept.push(new Uint8Array(message));
      } else this.#decoder.handle(message);
    } catch (thrown) {
      return this.fail(toWeirError(thrown));
    }
    if (this.#isHeld !== this.#isPaused || this.#options.folder.backPressure !== undefined) this.#adjustFlow();
  }

  get #isHeld(): boolean {
    return this.#full || this.#holds.size > 0;
  }

  /** Works off what was kept, as far as nothing holds it again. */
  #continue(): void {
    if (this.#failure !== undefined || this.#closed) return;
    if (this.#full && this.#ready.length === 0) {
      this.#full = false;
      this.#decoder.cut(this.#decoder.seenLsn);
    }
    try {
      let done = 0;
      while (done < this.#kept.length && !this.#isHeld) this.#decoder.handle(this.#kept[done++] as Uint8Array);
      this.#kept = this.#kept.slice(done);
    } catch (thrown) {
      return this.fail(toWeirError(thrown));
    }
    this.#adjustFlow();
  }

  #adjustFlow(): void {
    const pressure = this.#options.folder.backPressure;
    if (pressure !== undefined && !this.#waitsForDisk) {
      this.#waitsForDisk = true;
      pressure.then(() => {
        this.#waitsForDisk = false;
        this.#adjustFlow();
      });
    }
    const pause = this.#isHeld || this.#waitsForDisk;
    if (pause === this.#isPaused) return;
    this.#isPaused = pause;
    this.#keepalive.heard();
    if (pause) this.#connection?.pause();
    else this.#connection?.resume();
  }

  /** Between two transactions: ends the batch where it is due. */
  #cutIfDue(): void {
    if (this.#failure !== undefined) return;
    if (this.#decoder.inTransaction || this.#holds.size > 0 || this.#ready.length > 0) return;
    const now = Date.now();
    if (this.#builder.isEmpty) {
      // Also where nothing came since the last batch: what that one ended at may have been too soon to be recorded.
      const isBehind = this.#decoder.seenLsn > this.#options.recordedLsn();
      if (this.#keepalive.takeAsked() && isBehind) this.#builder.recordNow = true;
      const isDue = isBehind && now - this.#lastCutMs >= this.#options.limits.heartbeatMs;
      if (this.#builder.recordNow || isDue) this.#decoder.cut(this.#decoder.seenLsn);
    } else if (now - this.#builder.startedMs >= this.#options.limits.batchMs) this.#decoder.cut(this.#decoder.seenLsn);
  }

  #afterCommit(): void {
    const { batchRows, batchBytes } = this.#options.limits;
    if (this.#builder.rows >= batchRows || this.#builder.messageBytes >= batchBytes) {
      if (this.#ready.length === 0) this.#decoder.cut(this.#decoder.seenLsn);
      else this.#full = true;
    } else if (this.#waiting !== undefined) this.#cutIfDue();
  }

  #cut(lsn: bigint): BatchBuilder {
    const batch = this.#finish(this.#builder, lsn);
    batch.catch((thrown) => this.fail(toWeirError(thrown, "storage")));
    this.#ready.push(batch);
    this.#keepalive.progressed();
    for (const table of this.#options.tables.values()) table.markCut();
    this.#lastCutMs = Date.now();
    this.#builder = this.#newBuilder(lsn);
    this.#waiting?.resolve();
    return this.#builder;
  }

  /** Versions are remembered before the batch that needs them can be recorded anywhere. */
  async #finish(builder: BatchBuilder, lsn: bigint): Promise<MicroBatch> {
    const batch = builder.finish(lsn);
    await this.#options.memory.save().catch(async (thrown) => {
      await batch.then((taken) => taken.release(), () => {});
      throw thrown;
    });
    return await batch;
  }

  #newBuilder(afterLsn: bigint): BatchBuilder {
    const { folder, instance, limits } = this.#options;
    return new BatchBuilder({ folder, instance, afterLsn, maxValueBytes: limits.maxValueBytes });
  }

  #newDecoder(): StreamDecoder {
    return new StreamDecoder({
      builder: this.#builder,
      cutPoints: this.#options.cutPoints,
      tables: this.#options.tables,
      cut: (lsn) => this.#cut(lsn),
      onRelation: (message, commitLsn) => this.#relation(message, commitLsn),
      onCommit: () => this.#afterCommit(),
      onReplyRequested: () => this.#keepalive.asked(),
    });
  }

  #relation(message: RelationMessage, commitLsn: bigint): void {
    const release = this.hold();
    const connection = this.#connection;
    const isCurrent = () => !this.#closed && this.#connection === connection;
    const place = { commitLsn, builder: this.#builder, isCurrent };
    this.#options.resolve(message, place).catch((thrown) => {
      if (!isCurrent()) return;
      const error = toWeirError(thrown);
      // A server that ended the connection for questions is ending this one too: the stream starts over after it.
      if (error.kind !== "connection" || connection === undefined) return this.fail(error);
      this.#lost(connection, error);
      void connection.close().catch(() => {});
    }).finally(release);
  }

  #tick(): void {
    if (this.#waiting !== undefined) this.#cutIfDue();
    const now = Date.now();
    const silenceMs = this.#isPaused ? undefined : this.#keepalive.tooLongSilence(now);
    if (silenceMs !== undefined) return this.#endSilence(silenceMs);
    if (this.#keepalive.isStopDue(now)) void this.#letStop();
    const isSoon = this.#options.cutPoints.next !== undefined;
    if (this.#keepalive.isStatusDue(now, { isSoon, isHeld: this.#isHeld })) this.#sendStatus();
  }

  #sendStatus(): void {
    if (this.#connection === undefined || this.#failure !== undefined) return;
    this.#keepalive.replied();
    const recordedLsn = this.#options.recordedLsn();
    this.#connection.sendStatus({ writtenLsn: this.#decoder.seenLsn, recordedLsn }, {
      replyRequested: !this.#isHeld,
    });
  }

  /** A half-open connection: the other side is gone, or what stands between forwards nothing more, and no error ever comes. */
  #endSilence(silenceMs: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#keepalive.endedInSilence();
    this.#lost(connection, new WeirError("connection", `The server said nothing for ${silenceMs} ms`));
    void connection.close();
  }

  /** A server that stops waits until everything it sent is recorded: with a dataset set aside, for ever. */
  async #letStop(): Promise<void> {
    this.#keepalive.lookedIntoStop();
    const connection = this.#connection;
    if (connection === undefined || this.#decoder.seenLsn <= this.#options.recordedLsn()) return;
    if (!await this.#options.isStopping() || this.#closed || this.#connection !== connection) return;
    this.#lost(connection, new WeirError("connection", "The server is stopping"));
    await connection.close();
  }

  #lost(connection: ChangeConnection, thrown: unknown): void {
    if (this.#closed || this.#connection !== connection) return;
    this.#connection = undefined;
    const error = replicationError(thrown, { position: formatLsn(this.#decoder.seenLsn) });
    // Taken by another reader in the moment between check and start, or by our own lost connection: told apart below.
    if (error.kind !== "connection" && error.kind !== "fenced") return this.fail(error);
    this.#connecting = this.#reconnect().catch((failure) => this.fail(toWeirError(failure)));
  }

  /** Goes back to the last finished batch at once: what is half read must not become one while its files are removed. */
  async #reconnect(): Promise<void> {
    const { memory, tables } = this.#options;
    const halfRead = this.#builder;
    this.#builder = this.#newBuilder(halfRead.afterLsn);
    this.#decoder = this.#newDecoder();
    this.#kept = [];
    this.#full = false;
    for (const table of tables.values()) table.rewind();
    memory.rewind(halfRead.afterLsn);
    await halfRead.discard();
    await this.#connectPatiently((kind) => kind === "connection" || kind === "fenced");
  }

  async #connectPatiently(passes: (kind: WeirError["kind"]) => boolean): Promise<void> {
    const limitMs = this.#options.limits.reconnectMs;
    await tryPatiently(() => this.#connect(), { limitMs, passes, stopped: this.#stop.signal });
  }

  /** Ends reading with an error: the next batch that is asked for throws it. */
  fail(error: WeirError): void {
    this.#failure ??= error;
    this.#connection?.pause();
    this.#waiting?.resolve();
  }
}
