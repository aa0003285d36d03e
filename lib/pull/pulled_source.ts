/** A source whose batches are taken one by one, each as the rows that it would write. */
import type { DatasetChanges, MicroBatch } from "../change/micro_batch.ts";
import { formatPosition, type Position } from "../change/position.ts";
import type { Source } from "../change/source.ts";
import type { Dataset } from "../dataset/dataset.ts";
import type { Database } from "../engine/database.ts";
import { formatCount } from "../cli/format.ts";
import { WeirError } from "../errors.ts";
import { givenTable } from "../notebook/given_rows.ts";
import { QueryResult } from "../notebook/query_result.ts";
import { identifier, sql } from "../notebook/sql_part.ts";
import { display, type Displayed } from "../notebook/table_display.ts";
import type { DeadLetters } from "../pipeline/dead_letters.ts";
import type { BatchEnd } from "../pipeline/folded_changes.ts";
import type { DatasetPull } from "./dataset_pull.ts";

/** What one batch, or the beginning of an initial copy, would write. A notebook shows what it does to which table. */
export interface PulledBatch extends Displayed {
  /** Absent for a copy. */
  readonly after?: Position;
  readonly to: Position;
  /** Row changes at the source. */
  readonly rows: number;
  /**
   * By lake table (`payments.transactions`); only tables that would change. Columns: `change` (`write`, or `delete`, which has the key
   * alone), then the lake table's.
   */
  readonly tables: ReadonlyMap<string, QueryResult>;
  /** Values and rows that could not be carried. */
  readonly deadLetters: number;
}

/** How long to wait for a change. */
export interface PullOptions {
  /** Milliseconds. Default 10,000. */
  readonly waitMs?: number;
}

/** What a {@linkcode PulledSource} works with. */
export interface PulledSourceParts {
  readonly source: Source;
  /** By `namespace.table` at the source. */
  readonly pulls: ReadonlyMap<string, DatasetPull>;
  /** Where batches begin. */
  readonly after: Position;
  readonly database: Database;
  readonly deadLetters: DeadLetters;
  /** What closing closes, the last first. */
  readonly opened: AsyncDisposableStack;
}

const defaultWaitMs = 10_000;

const writtenColumns = [["table", "VARCHAR"], ["writes", "BIGINT"], ["deletes", "BIGINT"]] as const;

function spanText({ after, to, rows }: BatchEnd & { readonly rows: number }): string {
  const from = after === undefined ? "copied up" : `changed from ${formatPosition(after)}`;
  return `${formatCount(rows)} rows of the source, ${from} to ${formatPosition(to)}`;
}

/** An open source: see `openSource`. */
export class PulledSource implements AsyncDisposable {
  readonly #parts: PulledSourceParts;
  readonly #stop = new AbortController();
  #batches: AsyncIterator<MicroBatch> | undefined;
  /** Asked for, and not handed out yet. */
  #next: Promise<IteratorResult<MicroBatch>> | undefined;

  constructor(parts: PulledSourceParts) {
    this.#parts = parts;
  }

  /** Contracts of the tables. */
  get datasets(): readonly Dataset[] {
    return [...this.#parts.pulls.values()].map(({ dataset }) => dataset);
  }

  /** Runs SQL over tables of batches, as a lake runs it over its own: `` source.sql`SELECT … FROM ${batch.tables.get("…")}` ``. */
  async sql(template: TemplateStringsArray, ...values: readonly unknown[]): Promise<QueryResult> {
    return await QueryResult.of({ database: this.#parts.database, part: sql(template, ...values) });
  }

  /** The next batch with a change; undefined where none came in time. Nothing is acknowledged to the source. */
  async pullBatch({ waitMs = defaultWaitMs }: PullOptions = {}): Promise<PulledBatch | undefined> {
    const { source, after } = this.#parts;
    this.#batches ??= source.changes(after, [], this.#stop.signal)[Symbol.asyncIterator]();
    for (const endMs = performance.now() + waitMs;;) {
      const batch = await this.#nextBatch(endMs - performance.now());
      if (batch === undefined) return undefined;
      try {
        if (batch.rows > 0) return await this.#pulled(batch, [...batch.changes.values()]);
      } finally {
        await batch.release();
      }
    }
  }

  /**
   * The first part of a table's initial copy: some 100,000 rows as they are.
   *
   * @param table As at the source: `public.orders`.
   *
   * Throws `configuration` for a table that was not asked for.
   */
  async pullCopy(table: string): Promise<PulledBatch> {
    const { source } = this.#parts;
    const { dataset } = this.#pullOf(table);
    for await (const part of source.copy([dataset], this.#stop.signal)) {
      try {
        const rows = part.changes.segments.reduce((sum, segment) => sum + segment.rows, 0);
        return await this.#pulled({ to: part.position, rows, commitTimeMs: Date.now() }, [part.changes]);
      } finally {
        await part.release();
      }
    }
    throw new WeirError("precondition", `${table} cannot be copied any more`, { detail: { table } });
  }

  /** Closes it, as `await using` does: its slot and publication leave the source. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#next?.catch(() => {});
    await this.#batches?.return?.();
    await this.#parts.opened.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What does not come in time is waited for by the next call. */
  async #nextBatch(waitMs: number): Promise<MicroBatch | undefined> {
    this.#next ??= this.#batches!.next();
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), Math.max(waitMs, 0));
    const next = await Promise.race([this.#next, late.promise]).finally(() => clearTimeout(timer));
    if (next === undefined) return undefined;
    this.#next = undefined;
    return next.done ? undefined : next.value;
  }

  async #pulled(batch: BatchEnd & { readonly rows: number }, changes: readonly DatasetChanges[]): Promise<PulledBatch> {
    const { database, deadLetters } = this.#parts;
    const { after, to, rows, commitTimeMs } = batch;
    const lettersBefore = deadLetters.count;
    const tables = new Map<string, QueryResult>();
    const written: (readonly unknown[])[] = [];
    const end = { to, commitTimeMs, ...(after === undefined ? {} : { after }) };
    for (const each of changes) {
      for (const [name, { table, writes, deletes }] of await this.#pullOf(each.source).rows(each, end)) {
        written.push([name, writes, deletes]);
        tables.set(name, await QueryResult.of({ database, part: sql`SELECT * FROM ${identifier(table)}` }));
      }
    }
    return {
      ...(after === undefined ? {} : { after }),
      to,
      rows,
      tables,
      deadLetters: deadLetters.count - lettersBefore,
      [display]: async () => {
        const part = await givenTable(database, { columns: writtenColumns, rows: written });
        return await (await QueryResult.of({ database, part }, [spanText(batch)]))[display]();
      },
    };
  }

  #pullOf(table: string): DatasetPull {
    const found = this.#parts.pulls.get(table);
    if (found !== undefined) return found;
    throw new WeirError("configuration", `${table} was not asked for`, {
      advice: `Ask for one of ${[...this.#parts.pulls.keys()].join(", ")}`,
    });
  }
}
