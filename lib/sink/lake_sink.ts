/**
 * The sink over a lake table of any format.
 *
 * Promise (see `change/sink.ts`): a change is in the table exactly once, with its position.
 */
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Scan, Sink, SinkStatus, SinkTable, TableChange, TableLoad } from "../change/sink.ts";
import type { SharedRows } from "../change/written_rows.ts";
import { WeirError } from "../errors.ts";
import type { LakeTable, TableState } from "../table/lake_table.ts";
import { samePosition, TableCommitter } from "./table_committer.ts";

/** What a sink shares with the upkeep of its table. */
export interface LakeSinkOptions {
  /** Default: one of its own. */
  readonly committer?: TableCommitter;
  /** Called after each table commit: until it resolves no other is made. */
  readonly afterCommit?: () => Promise<void>;
}

/** A {@linkcode Sink} over a {@linkcode LakeTable}. One instance writes the table; a second one is fenced. */
export class LakeSink implements Sink {
  readonly table: SinkTable;
  readonly hasOwnFileColumns: boolean;
  readonly #lake: LakeTable;
  readonly #committer: TableCommitter;
  readonly #afterCommit: () => Promise<void>;

  constructor(lake: LakeTable, options: LakeSinkOptions = {}) {
    this.#lake = lake;
    this.#committer = options.committer ?? new TableCommitter(lake);
    this.#afterCommit = options.afterCommit ?? (() => Promise.resolve());
    const { format, namespace, name, location } = lake;
    this.table = { format, namespace, name, location };
    this.hasOwnFileColumns = lake.hasOwnFileColumns ?? false;
  }

  async status(): Promise<SinkStatus> {
    const state = await this.#committer.current();
    return state === undefined ? { rows: 0n } : statusOf(state);
  }

  async scan(): Promise<Scan | undefined> {
    // What this sink knows may be hours old, and its files merged and removed by another process since.
    const state = await this.#committer.refreshed();
    return state === undefined ? undefined : await this.#lake.scan(state);
  }

  async sample(): Promise<Scan | undefined> {
    const state = await this.#committer.refreshed();
    return state === undefined ? undefined : await this.#lake.sample(state);
  }

  async commit(change: TableChange): Promise<SinkStatus> {
    const { state, prepared } = await this.#prepared(await this.#ready(change), change);
    await this.#committer.publish(state, {
      prepared,
      position: change.position,
      fit: async (fresh, prepared) => {
        if (this.#lake.stillFits(fresh, prepared)) return prepared;
        await this.#lake.discard(prepared);
        return await this.#lake.prepare(fresh, change);
      },
    });
    await this.#afterCommit();
    return await this.status();
  }

  async load(change: Omit<TableChange, "upserts" | "removals">): Promise<TableLoad> {
    await this.#committer.refreshed();
    const state = await this.#ready(change);
    const parts: unknown[] = [];
    // Once a commit was tried the files may be live, whatever came of it: nobody may remove them any more.
    let isTried = false;
    return {
      add: async (upserts: Relation, shared: SharedRows = {}) => {
        parts.push(await this.#lake.prepare(state, { ...change, upserts, shared }));
      },
      commit: async () => {
        isTried = true;
        const [first, ...rest] = parts.length === 0 ? [await this.#lake.prepare(state, change)] : parts;
        await this.#committer.publish(state, {
          prepared: this.#lake.combine([first, ...rest]),
          position: change.position,
          fit: async (fresh, prepared) => {
            if (this.#lake.stillFits(fresh, prepared)) return prepared;
            await this.#lake.discard(prepared);
            throw this.#committer.fenced();
          },
        });
        await this.#afterCommit();
        return await this.status();
      },
      abandon: async () => {
        if (isTried) return;
        for (const part of parts) await this.#lake.discard(part);
      },
    };
  }

  async recordPosition(position: Position | undefined): Promise<void> {
    const state = await this.#committer.current();
    if (state === undefined) return;
    await this.#committer.settle({
      attempt: (current) => this.#lake.recordPosition(current, position),
      arrived: (current) => samePosition(current.position, position),
      moves: { to: position },
    });
    await this.#afterCommit();
  }

  /** A table that stood still for long may have had its files merged and removed by others: its newest state has their rows. */
  async #prepared(state: TableState, change: TableChange): Promise<{ state: TableState; prepared: unknown }> {
    try {
      return { state, prepared: await this.#lake.prepare(state, change) };
    } catch (thrown) {
      if (!(thrown instanceof WeirError) || thrown.kind !== "tableUnreadable") throw thrown;
      const newest = await this.#committer.refreshed();
      if (newest === undefined || newest === state) throw thrown;
      return { state: newest, prepared: await this.#lake.prepare(newest, change) };
    }
  }

  async #ready(change: Pick<TableChange, "definition">): Promise<TableState> {
    const known = await this.#committer.current();
    if (known !== undefined) return known;
    const made = await this.#lake.create(change.definition);
    this.#committer.know(made);
    return made;
  }
}

function statusOf(state: TableState): SinkStatus {
  return {
    rows: state.rows,
    columns: state.columns,
    ...(state.position === undefined ? {} : { position: state.position }),
    ...(state.snapshotId === undefined ? {} : { snapshotId: state.snapshotId }),
    ...(state.fixedPartition === undefined ? {} : { fixedPartition: state.fixedPartition }),
    ...(state.retention === undefined ? {} : { retention: state.retention }),
  };
}
