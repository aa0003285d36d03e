/**
 * One Iceberg table shown in other formats, out of its own files.
 *
 * Promise: each mirror shows one whole snapshot of its primary, says in the same commit which and up to which source position, and
 * comes to the newest by what differs between live files, however many snapshots lie between. Trouble with a mirror is told and
 * tried again; it never becomes trouble of the primary. While somebody may still read a version of a mirror, the primary keeps the
 * snapshots that it shows.
 */
import { formatPosition } from "../../change/position.ts";
import type { CommitResult } from "../../change/sink.ts";
import type { Connection } from "../../engine/connection.ts";
import { toWeirError, WeirError } from "../../errors.ts";
import { failPoint } from "../../fail_point.ts";
import type { Storage } from "../../storage/storage.ts";
import type { IcebergTable } from "../iceberg/iceberg_table.ts";
import type { IcebergState } from "../iceberg/state.ts";
import type { MirroredPoint, MirrorTable, PublishedSnapshot } from "../published_table.ts";
import type { TableState } from "../lake_table.ts";
import type { TableMirrors, UpkeepPolicy } from "../upkeep.ts";

/** What a mirror works with. */
export interface TableMirrorOptions {
  readonly primary: IcebergTable;
  readonly targets: readonly MirrorTable[];
  readonly storage: Storage;
  /** Used by this mirror alone while it works. */
  readonly connection: Connection;
  readonly onTrouble: (target: MirrorTable, error: WeirError) => void;
}

/**
 * Least time between two publications, milliseconds, unless somebody waits for them: a publication costs as much for many of the
 * primary's commits as for one, and where these come faster than every second nobody reads them all.
 */
const publishEveryMs = 1000;
/** Attempts of one commit before it is left for the next turn. */
const publishAttempts = 6;
/** Wait before the second attempt, milliseconds; doubled each time. */
const firstWaitMs = 50;

/** The mirrors of one table. */
export class TableMirror implements TableMirrors {
  readonly #options: TableMirrorOptions;
  #wanted: IcebergState | undefined;
  #running: Promise<void> | undefined;
  #publishedMs = -Infinity;
  /** How many wait for what is wanted; the pause before a publication ends with the first of them. */
  #awaited = 0;
  #endPause = () => {};

  constructor(options: TableMirrorOptions) {
    this.#options = options;
  }

  /** Formats the table is shown in. */
  get formats(): readonly string[] {
    return this.#options.targets.map(({ format }) => format);
  }

  /** Takes note of the primary's newest version and goes after it beside whatever else happens. Throws nothing. */
  follow(state: IcebergState): void {
    this.#wanted = state;
    this.#running ??= this.#run().finally(() => this.#running = undefined);
  }

  /** Waits until every mirror has come as far as it can. */
  async settled(): Promise<void> {
    this.#awaited++;
    this.#endPause();
    await this.#running;
    this.#awaited--;
  }

  /** Which point of the primary each mirror shows. */
  async points(): Promise<ReadonlyMap<MirrorTable, MirroredPoint | undefined>> {
    const points = new Map<MirrorTable, MirroredPoint | undefined>();
    for (const target of this.#options.targets) points.set(target, await target.load());
    return points;
  }

  async keepFrom(state: TableState, policy: UpkeepPolicy, nowMs: number): Promise<bigint | null> {
    const shown = new Set<bigint>();
    for (const target of this.#options.targets) for (const id of await target.shown(policy, nowMs)) shown.add(id);
    if (shown.size === 0) return null;
    const history = await this.#options.primary.history(state as IcebergState);
    const listed = history.map(({ id }) => id);
    // Taken out of the table by another tool: nobody can tell any more which files came and went since.
    const isComplete = shown.isSubsetOf(new Set(listed));
    return listed.find((id) => !isComplete || shown.has(id)) ?? null;
  }

  async referenced(): Promise<ReadonlySet<string>> {
    const paths = new Set<string>();
    for (const target of this.#options.targets) for (const path of await target.referenced()) paths.add(path);
    return paths;
  }

  async expire(policy: UpkeepPolicy, nowMs: number): Promise<void> {
    await this.settled();
    for (const target of this.#options.targets) {
      await this.#untroubled(target, async () => {
        const { result, unneeded } = await target.expire(policy, { nowMs });
        if (result?.outcome !== "committed") return;
        for (const path of unneeded) await this.#options.storage.delete(path);
      });
    }
  }

  async #run(): Promise<void> {
    while (this.#wanted !== undefined) {
      await this.#pause();
      const snapshot = this.#options.primary.published(this.#wanted, this.#options.connection);
      this.#wanted = undefined;
      this.#publishedMs = performance.now();
      for (const target of this.#options.targets) {
        await this.#untroubled(target, () => publish(target, snapshot));
      }
    }
  }

  async #pause(): Promise<void> {
    const leftMs = this.#publishedMs + publishEveryMs - performance.now();
    if (leftMs <= 0 || this.#awaited > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.#endPause = () => (clearTimeout(timer), resolve());
    });
  }

  async #untroubled(target: MirrorTable, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#options.onTrouble(target, toWeirError(thrown, "internal"));
    }
  }
}

/** Publishes until it is certain. What a lost answer left undecided is decided by the mirror's own word on the next attempt. */
async function publish(target: MirrorTable, snapshot: PublishedSnapshot): Promise<void> {
  let result: CommitResult | undefined;
  for (let attempt = 0, waitMs = firstWaitMs; attempt < publishAttempts; attempt++, waitMs *= 2) {
    if (result !== undefined) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await failPoint("mirror.beforePublish");
    result = await target.publish(snapshot);
    await failPoint("mirror.afterPublish");
    if (result.outcome === "committed") return;
  }
  const at = snapshot.position === undefined ? "" : ` at ${formatPosition(snapshot.position)}`;
  throw new WeirError("storage", `Cannot commit to the mirror${at} after ${publishAttempts} attempts`, {
    cause: result !== undefined && "cause" in result ? result.cause : undefined,
    detail: { path: target.location },
  });
}
