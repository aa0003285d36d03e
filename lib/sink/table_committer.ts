/**
 * The loop around a format's three steps: what is prepared is staged and committed until it is certain how that ended.
 *
 * Promise: a conflict is staged again on the new state, an unknown outcome is looked up before anything else, and a table
 * that somebody else moved on is left alone (`fenced`), except by upkeep, which carries the new position on.
 */
import type { Position } from "../change/position.ts";
import { formatPosition } from "../change/position.ts";
import type { CommitResult } from "../change/sink.ts";
import { Turns } from "../engine/turns.ts";
import { WeirError } from "../errors.ts";
import type { LakeTable, TableState } from "../table/lake_table.ts";

/** Attempts of one commit before it is given up. */
const commitAttempts = 6;
/** Wait before the second attempt, milliseconds; doubled each time. */
const firstWaitMs = 50;

/** One attempt after another, and how to tell that an earlier one arrived. */
export interface CommitStep {
  /** Undefined: there is nothing to be done any more. */
  readonly attempt: (state: TableState) => Promise<CommitResult | undefined>;
  /** Asked after every attempt that is not known to have arrived: an earlier one may have done so since. */
  readonly arrived: (state: TableState) => boolean | Promise<boolean>;
  /** Where the table stands once an attempt has arrived. Absent: where it stood. */
  readonly moves?: { readonly to: Position | undefined };
}

/** Prepared files, and what becomes of them where the table has moved on. */
export interface PreparedFiles {
  readonly prepared: unknown;
  /** What is to be committed on a newer state, having removed what is of no use any more. Gives undefined to give up. */
  readonly fit: (state: TableState, prepared: unknown) => Promise<unknown>;
  /** Where they move the table. Absent: it stays where it stands. */
  readonly position?: Position;
}

/** For whom a {@linkcode TableCommitter} commits. */
export interface CommitterOptions {
  /** The one writer of the table's rows: if its position moves, somebody else writes. Default true; upkeep alone is none. */
  readonly isWriter?: boolean;
}

/** Commits to one table. Remembers its newest state, and asks the table again after every uncertain or lost attempt. */
export class TableCommitter {
  readonly #lake: LakeTable;
  readonly #isWriter: boolean;
  #state: TableState | undefined;
  #isLoaded = false;
  /** Where the table stands if nobody else has moved it: also where an attempt of unknown outcome would have. */
  #ours: ReadonlySet<string> | undefined;
  /** Counts beginnings and ends of attempts: what was read before one of them may be older than what it left. */
  #turn = 0;
  /** Who looks for another writer while a commit of ours is under way would take it for his. */
  readonly #alone = new Turns();

  constructor(lake: LakeTable, { isWriter = true }: CommitterOptions = {}) {
    this.#lake = lake;
    this.#isWriter = isWriter;
  }

  /**
   * The newest state; undefined where there is no table. Who is not the writer asks the table each time. Throws `fenced` where
   * another writer has moved the table on since it was last known, `tableUnreadable` where it vanished.
   */
  async current(): Promise<TableState | undefined> {
    if (this.#isLoaded && this.#isWriter) return this.#state;
    for (;;) {
      const turn = this.#turn;
      const found = await this.#lake.load();
      if (turn !== this.#turn) continue;
      this.#requireOurs(found);
      this.know(found);
      return found;
    }
  }

  /** The newest state, asked for anew. */
  async refreshed(): Promise<TableState | undefined> {
    return await this.#alone.take(async () => {
      if (this.#isLoaded) this.#forget();
      return await this.current();
    });
  }

  /** Takes note of a state that was just made or read. */
  know(state: TableState | undefined): void {
    this.#state = state;
    this.#isLoaded = true;
    this.#ours = new Set([positionText(state?.position)]);
  }

  #forget(): void {
    this.#turn++;
    this.#isLoaded = false;
  }

  /** Stages and commits prepared files. False where they were given up. */
  async publish(start: TableState, files: PreparedFiles): Promise<boolean> {
    let { prepared } = files;
    const doubtful: unknown[] = [];
    return await this.settle({
      attempt: async (state) => {
        if (state !== start) prepared = await files.fit(state, prepared);
        if (prepared === undefined) return undefined;
        const staged = this.#lake.stage(state, prepared);
        const result = await this.#lake.commit(staged);
        if (result.outcome !== "retryable") doubtful.push(staged);
        return result;
      },
      arrived: () => this.#isAnyCommitted(doubtful),
      ...(files.position === undefined ? {} : { moves: { to: files.position } }),
    });
  }

  /** A store may do what it was asked for long after the answer was lost, while the next attempt is under way. */
  async #isAnyCommitted(doubtful: readonly unknown[]): Promise<boolean> {
    for (const staged of doubtful) if (await this.#lake.isCommitted(staged)) return true;
    return false;
  }

  /** Runs attempts until one is certain. False where the last one had nothing to do. */
  async settle(step: CommitStep): Promise<boolean> {
    return await this.#alone.take(() => this.#settled(step));
  }

  async #settled(step: CommitStep): Promise<boolean> {
    const stood = (await this.current())?.position;
    let cause: unknown;
    let isDoubtful = false;
    for (let attempt = 0, waitMs = firstWaitMs; attempt < commitAttempts; attempt++, waitMs *= 2) {
      const state = await this.current();
      if (state === undefined) throw this.#vanished();
      // Where an attempt of ours would have moved it, and none has arrived: somebody who reads the same source was faster.
      if (this.#isWriter && !samePosition(state.position, stood)) throw this.fenced();
      const result = await this.#tried(step, { state, isDoubtful });
      if (result === undefined) return false;
      isDoubtful ||= result.outcome === "unknown";
      if (result.outcome === "committed") return await this.current() !== undefined;
      cause = "cause" in result ? result.cause : cause;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const found = await this.current();
      if (found !== undefined && await step.arrived(found)) return true;
    }
    const kind = cause instanceof WeirError && cause.kind === "storageFull" ? cause.kind : "storage";
    throw new WeirError(kind, `Cannot commit to ${this.#name()} after ${commitAttempts} attempts`, {
      ...this.#detail(),
      cause,
    });
  }

  /** One attempt. `isDoubtful`: one before it may yet arrive. */
  async #tried(
    { attempt, moves }: CommitStep,
    { state, isDoubtful }: { readonly state: TableState; readonly isDoubtful: boolean },
  ): Promise<CommitResult | undefined> {
    const stood = this.#ours;
    if (moves !== undefined) this.#ours = new Set([...stood ?? [], positionText(moves.to)]);
    try {
      const result = await attempt(state);
      const isNothing = result === undefined || result.outcome === "conflict" || result.outcome === "retryable";
      // Where the table stands there all the same, another writer has moved it.
      if (isNothing && !isDoubtful) this.#ours = stood;
      return result;
    } finally {
      // Whatever came of it, and be it an error over a file that is gone: the table is asked again before the next attempt.
      this.#forget();
    }
  }

  /** The error of a writer that finds the table moved on by another. */
  fenced(): WeirError {
    return new WeirError("fenced", `Another writer has moved ${this.#name()} on`, this.#detail());
  }

  #requireOurs(found: TableState | undefined): void {
    if (!this.#isWriter || (this.#ours?.has(positionText(found?.position)) ?? true)) return;
    if (found === undefined) throw this.#vanished();
    if (found.position !== undefined) throw this.fenced();
    throw new WeirError("fenced", `The position of ${this.#name()} is there no more`, {
      ...this.#detail(),
      advice: "Another program removed the snapshots that name it: start the job again, which copies the table",
    });
  }

  #vanished(): WeirError {
    return new WeirError("tableUnreadable", "The table vanished while it was written", this.#detail());
  }

  #name(): string {
    return `${this.#lake.format} table ${this.#lake.namespace}.${this.#lake.name}`;
  }

  #detail(): { detail: { table: string; path: string } } {
    return { detail: { table: `${this.#lake.namespace}.${this.#lake.name}`, path: this.#lake.location } };
  }
}

/** Whether two recorded positions, either of which may be missing, are one. */
export function samePosition(left: Position | undefined, right: Position | undefined): boolean {
  return positionText(left) === positionText(right);
}

function positionText(position: Position | undefined): string {
  return position === undefined ? "" : formatPosition(position);
}
