/** A sink that a test holds up, fails and listens to, around one that works. */
import type { Position } from "../change/position.ts";
import type { Scan, Sink, SinkStatus, SinkTable, TableChange, TableLoad } from "../change/sink.ts";

/** What happens around a commit; may wait, and may throw. */
export type CommitHook = (change: TableChange) => void | Promise<void>;

/** A {@linkcode Sink} with hooks. */
export class WatchedSink implements Sink {
  readonly table: SinkTable;
  readonly #inner: Sink;
  /** Offsets of the changes whose commit came through, in order; one taken twice stands here twice. */
  readonly committed: string[] = [];
  /** Before anything is written. */
  before: CommitHook = () => {};
  /** After the commit came through: a failure here is one whose commit happened. */
  after: CommitHook = () => {};

  constructor(inner: Sink) {
    this.#inner = inner;
    this.table = inner.table;
  }

  async commit(change: TableChange): Promise<SinkStatus> {
    await this.before(change);
    const status = await this.#inner.commit(change);
    this.committed.push(change.position.offset);
    await this.after(change);
    return status;
  }

  status(): Promise<SinkStatus> {
    return this.#inner.status();
  }

  scan(): Promise<Scan | undefined> {
    return this.#inner.scan();
  }

  sample(): Promise<Scan | undefined> {
    return this.#inner.sample();
  }

  async load(change: Omit<TableChange, "upserts" | "removals">): Promise<TableLoad> {
    const load = await this.#inner.load(change);
    return {
      add: (upserts) => load.add(upserts),
      commit: async () => {
        await this.before(change);
        return await load.commit();
      },
      abandon: () => load.abandon(),
    };
  }

  recordPosition(position: Position | undefined): Promise<void> {
    return this.#inner.recordPosition(position);
  }
}
