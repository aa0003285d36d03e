/**
 * Writes generated account holders and payments into PostgreSQL.
 *
 * Promise: ids go on behind the stored maximum, so no run collides with an earlier one; both legs of a payment stand in one
 * source commit; an aborted run leaves whole batches. Call it only on a database that may be written to (design §8).
 */
import { accountHolders } from "../domain/payments/account_holders.ts";
import { type PaymentGenerators, paymentGenerators } from "../domain/payments/generators.ts";
import { HolderChangePlanner } from "../domain/payments/holder_change.ts";
import { accountHolderRow, paymentRows } from "../domain/payments/rows.ts";
import { transactions } from "../domain/payments/transactions.ts";
import { WeirError } from "../errors.ts";
import { PostgresConnection } from "../source/postgres/connection.ts";
import { copyIn } from "./copy_in.ts";
import { copyChunks, copyLine } from "./copy_text.ts";
import { applyHolderChanges } from "./holder_churn.ts";
import { Pace } from "./pacing.ts";
import {
  copyStatement,
  createPaymentTables,
  generatedColumns,
  offerStoredHolders,
  storedIds,
} from "./payment_tables.ts";
import type {
  GeneratedCounts,
  LoadOptions,
  PaymentsWriterOptions,
  StreamOptions,
  WritingOptions,
} from "./payments_writer_options.ts";

/** Rows of one source commit, at most. */
const batchRowsMax = 5000;
/** Advisory lock by which two writers of one database find out about each other. */
const advisoryLock = "7239840157301";
const dayMs = 86_400_000;

const holderColumns = generatedColumns(accountHolders);
const paymentColumns = generatedColumns(transactions);

/** Writes into one database, one source commit after the other. */
export class PaymentsWriter implements AsyncDisposable {
  readonly #connection: PostgresConnection;
  readonly #generators: PaymentGenerators;
  readonly #planner: HolderChangePlanner;
  readonly #wallClock: () => number;
  readonly #time: { nowMs: number };
  readonly #counts = { holders: 0, paymentRows: 0, updated: 0, deleted: 0, keyChanged: 0 };
  #lowHolderId = 0n;
  #nextHolderId = 1n;
  #nextLegId = 1n;
  #nextChange = 1n;

  private constructor(connection: PostgresConnection, parts: WriterParts) {
    this.#connection = connection;
    this.#generators = parts.generators;
    this.#planner = parts.planner;
    this.#wallClock = parts.wallClock;
    this.#time = parts.time;
  }

  /**
   * Connects, creates the tables where they are missing and looks how far they are filled.
   *
   * Throws `fenced` where another writer is at work, `connection` and `authentication` of the server.
   */
  static async open(options: PaymentsWriterOptions): Promise<PaymentsWriter> {
    const wallClock = options.clock ?? Date.now;
    const time = { nowMs: wallClock() };
    const seed = options.seed ?? 1;
    const generators = await paymentGenerators({
      seed,
      clock: () => time.nowMs,
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      ...(options.lists === undefined ? {} : { lists: options.lists }),
    });
    const planner = new HolderChangePlanner({
      seed,
      holders: generators.holders,
      ...(options.churnWeights === undefined ? {} : { weights: options.churnWeights }),
    });
    const connection = await PostgresConnection.open(options.url);
    try {
      const writer = new PaymentsWriter(connection, { generators, planner, wallClock, time });
      await writer.#start();
      return writer;
    } catch (thrown) {
      await connection.close();
      throw thrown;
    }
  }

  /** Rows written so far. */
  get counts(): GeneratedCounts {
    return { ...this.#counts };
  }

  /** Writes holders, then payments among all holders, as fast as the server takes them. */
  async load(options: LoadOptions): Promise<GeneratedCounts> {
    this.#time.nowMs = this.#wallClock();
    for (let left = options.holders; left > 0 && !options.signal?.aborted;) {
      const rows = Math.min(left, batchRowsMax);
      await this.#copyHolders(rows);
      left -= rows;
      options.onProgress?.(this.counts);
    }
    const endMs = this.#wallClock();
    const startMs = endMs - (options.historyDays ?? 7) * dayMs;
    for (let done = 0; done < options.payments && !options.signal?.aborted;) {
      const payments = Math.min(options.payments - done, batchRowsMax / 2);
      const first = done;
      await this.#copyPayments(payments, (index) => startMs + (endMs - startMs) * (first + index) / options.payments);
      done += payments;
      options.onProgress?.(this.counts);
    }
    return this.counts;
  }

  /**
   * Writes payments that happen now, with changes among the account holders between them, paced or as fast as it goes.
   *
   * @throws {RangeError} If the rate is not positive, or fewer than two holders are stored.
   */
  async stream(options: StreamOptions): Promise<GeneratedCounts> {
    const { churnShare = 0.05, onProgress, payments = Infinity, rate, signal } = options;
    const pace = rate === undefined ? undefined : new Pace(rate);
    let owedChanges = 0;
    for (let done = 0; done < payments && !signal?.aborted;) {
      const count = Math.min(payments - done, await paymentsDue(pace, signal));
      if (count < 1) break;
      await this.#copyPayments(count, () => this.#wallClock());
      pace?.sent(2 * count);
      done += count;
      owedChanges += 2 * count * churnShare;
      onProgress?.(this.counts);
      while (owedChanges >= 1 && !signal?.aborted) {
        const changes = Math.min(Math.floor(owedChanges), batchRowsMax);
        const changed = await this.#changeHolders(changes);
        owedChanges -= changes;
        pace?.sent(changed);
        onProgress?.(this.counts);
      }
    }
    return this.counts;
  }

  /** Makes changes among the account holders: inserts, updates, deletes and key changes. */
  async churn(options: WritingOptions & { readonly changes: number }): Promise<GeneratedCounts> {
    for (let left = options.changes; left > 0 && !options.signal?.aborted; left -= batchRowsMax) {
      await this.#changeHolders(Math.min(left, batchRowsMax));
      options.onProgress?.(this.counts);
    }
    return this.counts;
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<void> {
    const lock = await this.#connection.row<{ taken: boolean }>(
      `SELECT pg_try_advisory_lock(${advisoryLock}) AS taken`,
    );
    if (!lock?.taken) {
      throw new WeirError("fenced", "Another generator writes to this database", {
        advice: "Stop the other generator, or wait until it has ended",
      });
    }
    await createPaymentTables(this.#connection);
    const holderIds = await storedIds(this.#connection, accountHolders);
    const legIds = await storedIds(this.#connection, transactions);
    await offerStoredHolders(this.#connection, { pool: this.#generators.pool, ids: holderIds });
    this.#lowHolderId = holderIds.low;
    this.#nextHolderId = atLeastOne(holderIds.high + 1n);
    this.#nextLegId = atLeastOne(legIds.high + 1n);
    // What happened in an earlier run is not planned a second time.
    this.#nextChange = this.#nextHolderId + this.#nextLegId;
  }

  async #copyHolders(rows: number): Promise<void> {
    const { holders, pool } = this.#generators;
    const lines = () => {
      const holder = holders.holder(this.#nextHolderId++);
      pool.offer(holder);
      return copyLine(holderColumns, accountHolderRow(holder));
    };
    const statement = copyStatement(accountHolders, holderColumns);
    this.#counts.holders += await copyIn(this.#connection.client, { statement, chunks: copyChunks(rows, lines) });
  }

  async #copyPayments(payments: number, timeMs: (index: number) => number): Promise<void> {
    let index = 0;
    const lines = () => {
      this.#time.nowMs = Math.floor(timeMs(index++));
      const [outbound, inbound] = paymentRows(this.#generators.payments.payment(this.#nextLegId));
      this.#nextLegId += 2n;
      return copyLine(paymentColumns, outbound) + copyLine(paymentColumns, inbound);
    };
    const statement = copyStatement(transactions, paymentColumns);
    this.#counts.paymentRows += await copyIn(this.#connection.client, {
      statement,
      chunks: copyChunks(payments, lines),
    });
  }

  /** Gives the number of rows changed: of a holder that is gone already there is none. */
  async #changeHolders(count: number): Promise<number> {
    this.#time.nowMs = this.#wallClock();
    const ids = { low: this.#lowHolderId, high: this.#nextHolderId - 1n, newId: () => this.#nextHolderId++ };
    const changes = Array.from({ length: count }, () => this.#planner.change(this.#nextChange++, ids));
    const lines = changes.flatMap((change) => {
      if (change.kind !== "insert") return [];
      this.#generators.pool.offer(change.holder);
      return [copyLine(holderColumns, accountHolderRow(change.holder))];
    });
    const statement = copyStatement(accountHolders, holderColumns);
    return await this.#inTransaction(async () => {
      const next = lines.values();
      const inserted = await copyIn(this.#connection.client, {
        statement,
        chunks: copyChunks(lines.length, () => next.next().value ?? ""),
      });
      const { deleted, keyChanged, updated } = await applyHolderChanges(this.#connection, {
        changes,
        settings: this.#generators.settings,
      });
      this.#counts.holders += inserted;
      this.#counts.updated += updated;
      this.#counts.deleted += deleted;
      this.#counts.keyChanged += keyChanged;
      return inserted + updated + deleted + keyChanged;
    });
  }

  async #inTransaction<T>(body: () => Promise<T>): Promise<T> {
    await this.#connection.run("BEGIN");
    try {
      const result = await body();
      await this.#connection.run("COMMIT");
      return result;
    } catch (thrown) {
      await this.#connection.run("ROLLBACK").catch(() => {});
      throw thrown;
    }
  }
}

interface WriterParts {
  readonly generators: PaymentGenerators;
  readonly planner: HolderChangePlanner;
  readonly wallClock: () => number;
  /** The generators' clock: what is written says when it happened. */
  readonly time: { nowMs: number };
}

/** Payments of the next batch: all that fit, or what is due by now. 0 only where the signal is aborted. */
async function paymentsDue(pace: Pace | undefined, signal: AbortSignal | undefined): Promise<number> {
  if (pace === undefined) return batchRowsMax / 2;
  const rows = await pace.due(Math.max(2, Math.min(pace.rowsPerTick(), batchRowsMax)), signal);
  return Math.min(Math.floor(rows / 2), batchRowsMax / 2);
}

function atLeastOne(id: bigint): bigint {
  return id < 1n ? 1n : id;
}
