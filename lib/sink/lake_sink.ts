/**
 * The sink over a lake table of any format.
 *
 * Promise (see `change/sink.ts`): a change is in the table exactly once, with its position.
 */
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Scan, Sink, SinkStatus, SinkTable, TableChange, TableLoad } from "../change/sink.ts";
import type { LakeTable, TableState } from "../table/lake_table.ts";
import { samePosition, TableCommitter } from "./table_committer.ts";

/** A {@linkcode Sink} over a {@linkcode LakeTable}. One instance writes the table; a second one is fenced. */
export class LakeSink implements Sink {
  readonly table: SinkTable;
  readonly #lake: LakeTable;
  readonly #committer: TableCommitter;

  constructor(lake: LakeTable) {
    this.#lake = lake;
    this.#committer = new TableCommitter(lake);
    const { format, namespace, name, location } = lake;
    this.table = { format, namespace, name, location };
  }

  async status(): Promise<SinkStatus> {
    const state = await this.#committer.current();
    return state === undefined ? { rows: 0n } : statusOf(state);
  }

  async scan(): Promise<Scan | undefined> {
    const state = await this.#committer.current();
    return state === undefined ? undefined : await this.#lake.scan(state);
  }

  async commit(change: TableChange): Promise<SinkStatus> {
    const state = await this.#ready(change);
    await this.#committer.publish(state, {
      prepared: await this.#lake.prepare(state, change),
      fit: async (fresh, prepared) => {
        if (this.#lake.stillFits(fresh, prepared)) return prepared;
        await this.#lake.discard(prepared);
        return await this.#lake.prepare(fresh, change);
      },
    });
    return await this.status();
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
        await this.#committer.publish(state, {
          prepared: this.#lake.combine([first, ...rest]),
          fit: async (fresh, prepared) => {
            if (this.#lake.stillFits(fresh, prepared)) return prepared;
            await this.#lake.discard(prepared);
            throw this.#committer.fenced();
          },
        });
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
    });
  }

  async #ready(change: Pick<TableChange, "definition">): Promise<TableState> {
    const state = await this.#committer.current() ?? await this.#lake.create(change.definition);
    this.#committer.know(state);
    return state;
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
