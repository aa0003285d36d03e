/**
 * The sink over a lake table of any format: the loop around the format's three steps.
 *
 * Promise (see `change/sink.ts`): a change is in the table exactly once, with its position. A conflict is staged again on the
 * new state, an unknown outcome is looked up first, and a table that somebody else moved on is left alone (`fenced`).
 */
import type { Position } from "../change/position.ts";
import { formatPosition } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { CommitResult, Scan, Sink, SinkStatus, SinkTable, TableChange, TableLoad } from "../change/sink.ts";
import { WeirError } from "../errors.ts";
import type { LakeTable, TableState } from "../table/lake_table.ts";

/** Attempts of one commit before the sink gives up. */
const commitAttempts = 6;
/** Wait before the second attempt, milliseconds; doubled each time. */
const firstWaitMs = 50;

/** A {@linkcode Sink} over a {@linkcode LakeTable}. One instance writes the table; a second one is fenced. */
export class LakeSink implements Sink {
  readonly table: SinkTable;
  readonly #lake: LakeTable;
  #state: TableState | undefined;
  #loaded = false;

  constructor(lake: LakeTable) {
    this.#lake = lake;
    const { format, namespace, name, location } = lake;
    this.table = { format, namespace, name, location };
  }

  async status(): Promise<SinkStatus> {
    const state = await this.#current();
    return state === undefined ? { rows: 0n } : statusOf(state);
  }

  async scan(): Promise<Scan | undefined> {
    const state = await this.#current();
    return state === undefined ? undefined : await this.#lake.scan(state);
  }

  async commit(change: TableChange): Promise<SinkStatus> {
    const state = await this.#ready(change);
    return await this.#publish(state, {
      prepared: await this.#lake.prepare(state, change),
      again: (fresh) => this.#lake.prepare(fresh, change),
    });
  }

  async load(change: Omit<TableChange, "upserts" | "removals">): Promise<TableLoad> {
    const state = await this.#ready(change);
    const parts: unknown[] = [];
    // Once a commit was tried the files may be live, whatever came of it: nobody may remove them any more.
    let isTried = false;
    return {
      add: async (upserts: Relation) => {
        const part = { ...change, upserts, truncate: change.truncate && parts.length === 0 };
        parts.push(await this.#lake.prepare(state, part));
      },
      commit: async () => {
        isTried = true;
        const [first, ...rest] = parts.length === 0 ? [await this.#lake.prepare(state, change)] : parts;
        return await this.#publish(state, { prepared: this.#lake.combine([first, ...rest]) });
      },
      abandon: async () => {
        if (isTried) return;
        for (const part of parts) await this.#lake.discard(part);
      },
    };
  }

  async recordPosition(position: Position | undefined): Promise<void> {
    const state = await this.#current();
    if (state === undefined) return;
    await this.#settle({
      attempt: (current) => this.#lake.recordPosition(current, position),
      arrived: (current) => samePosition(current.position, position),
    });
  }

  async #current(): Promise<TableState | undefined> {
    if (!this.#loaded) {
      this.#state = await this.#lake.load();
      this.#loaded = true;
    }
    return this.#state;
  }

  async #ready(change: Pick<TableChange, "definition">): Promise<TableState> {
    const state = await this.#current() ?? await this.#lake.create(change.definition);
    this.#state = state;
    return state;
  }

  /** Stages and commits prepared files until it is certain how it ended. */
  async #publish(
    start: TableState,
    files: { readonly prepared: unknown; readonly again?: (state: TableState) => Promise<unknown> },
  ): Promise<SinkStatus> {
    let { prepared } = files;
    let staged: unknown;
    await this.#settle({
      attempt: async (state) => {
        if (state !== start && !this.#lake.stillFits(state, prepared)) {
          await this.#lake.discard(prepared);
          if (files.again === undefined) throw this.#fenced();
          prepared = await files.again(state);
        }
        staged = this.#lake.stage(state, prepared);
        return await this.#lake.commit(staged);
      },
      arrived: async () => staged !== undefined && await this.#lake.isCommitted(staged),
    });
    return await this.status();
  }

  /** Runs attempts until one is certain. After every uncertain or lost one the table itself is asked. */
  async #settle(step: {
    readonly attempt: (state: TableState) => Promise<CommitResult>;
    readonly arrived: (state: TableState) => boolean | Promise<boolean>;
  }): Promise<void> {
    const expected = (await this.#reloadUnless(this.#state))?.position;
    let cause: unknown;
    for (let attempt = 0, waitMs = firstWaitMs; attempt < commitAttempts; attempt++, waitMs *= 2) {
      const state = await this.#reloadUnless(this.#state);
      if (state === undefined) {
        throw new WeirError("tableUnreadable", "The table vanished while it was written", this.#detail());
      }
      if (!samePosition(state.position, expected)) throw this.#fenced();
      const result = await step.attempt(state);
      this.#loaded = false;
      if (result.outcome === "committed") return void await this.#current();
      cause = "cause" in result ? result.cause : cause;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const found = await this.#current();
      if (found !== undefined && result.outcome !== "retryable" && await step.arrived(found)) return;
    }
    throw new WeirError("storage", `Cannot commit to ${this.#name()} after ${commitAttempts} attempts`, {
      ...this.#detail(),
      cause,
    });
  }

  async #reloadUnless(state: TableState | undefined): Promise<TableState | undefined> {
    return this.#loaded ? state : await this.#current();
  }

  #fenced(): WeirError {
    return new WeirError("fenced", `Another writer has moved ${this.#name()} on`, this.#detail());
  }

  #name(): string {
    return `${this.table.format} table ${this.table.namespace}.${this.table.name}`;
  }

  #detail(): { detail: { table: string; path: string } } {
    return { detail: { table: `${this.table.namespace}.${this.table.name}`, path: this.table.location } };
  }
}

function statusOf(state: TableState): SinkStatus {
  return {
    rows: state.rows,
    columns: state.columns,
    ...(state.position === undefined ? {} : { position: state.position }),
    ...(state.snapshotId === undefined ? {} : { snapshotId: state.snapshotId }),
  };
}

function samePosition(left: Position | undefined, right: Position | undefined): boolean {
  const text = (position: Position | undefined) => position === undefined ? "" : formatPosition(position);
  return text(left) === text(right);
}
