/**
 * Upkeep beside a writer: files are merged while batches go on, and what was merged is committed between two of them.
 *
 * Promise: the writer waits for a commit of metadata at most, except where files come faster than they are merged. Trouble with
 * upkeep never becomes trouble of the batches: it is told, and tried again later.
 */
import { toWeirError, type WeirError } from "../errors.ts";
import type { CompactionPlan, Expiry } from "../table/upkeep.ts";
import type { Merged, TableUpkeep } from "./table_upkeep.ts";

/** When upkeep expires snapshots, and whom it tells what. */
export interface BackgroundUpkeepOptions {
  /** Milliseconds between two expiries. */
  readonly expireEveryMs: number;
  readonly onError: (error: WeirError) => void;
  /** Told of each compaction that has been committed. */
  readonly onMerged?: (plan: CompactionPlan) => void;
  readonly onExpired?: (expired: Expiry & { readonly partitions: number }) => void;
  /** While the writer has fallen behind, only what cannot wait is merged. Default: never. */
  readonly isBehind?: () => boolean;
  /** Monotonic milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

/** The steps of {@linkcode TableUpkeep} that go on beside a writer. */
export type UpkeepSteps = Pick<TableUpkeep, "planned" | "merge" | "expirePartitions" | "expire">;

/** Not before so long after trouble is upkeep tried again, milliseconds. */
const restMs = 60_000;

/** The upkeep of one table beside its writer. */
export class BackgroundUpkeep {
  readonly #upkeep: UpkeepSteps;
  readonly #options: BackgroundUpkeepOptions;
  #merging: Promise<void> | undefined;
  #merged: Merged | undefined;
  #expiredMs: number;
  #restUntilMs = 0;

  constructor(upkeep: UpkeepSteps, options: BackgroundUpkeepOptions) {
    this.#upkeep = upkeep;
    this.#options = options;
    this.#expiredMs = this.#nowMs();
  }

  /** The writer's turn: to be called after a commit, while no other is under way. Throws nothing. */
  async turn(): Promise<void> {
    if (this.#nowMs() < this.#restUntilMs) return;
    await this.#untroubled(async () => {
      await this.#land();
      if (this.#merging === undefined) await this.#begin();
      if (this.#nowMs() - this.#expiredMs < this.#options.expireEveryMs) return;
      this.#expiredMs = this.#nowMs();
      const partitions = await this.#upkeep.expirePartitions();
      const expiry = await this.#upkeep.expire();
      this.#options.onExpired?.({ ...expiry, partitions });
    });
  }

  /** Resolves once no merge is under way. */
  async idle(): Promise<void> {
    await this.#merging;
  }

  /** Waits for the merge under way and commits it. To be called once no commit is under way. */
  async close(): Promise<void> {
    await this.#merging;
    await this.#untroubled(() => this.#land());
  }

  async #begin(): Promise<void> {
    const planned = await this.#upkeep.planned();
    if (planned === undefined || (!planned.plan.isUrgent && this.#options.isBehind?.())) return;
    this.#merging = this.#untroubled(async () => {
      this.#merged = await this.#upkeep.merge(planned);
    }).finally(() => this.#merging = undefined);
    if (!planned.plan.isUrgent) return;
    await this.#merging;
    await this.#land();
  }

  async #land(): Promise<void> {
    const merged = this.#merged;
    this.#merged = undefined;
    if (await merged?.land()) this.#options.onMerged?.(merged!.plan);
  }

  async #untroubled(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      const error = toWeirError(thrown, "internal");
      this.#restUntilMs = this.#nowMs() + restMs;
      if (error.kind !== "interrupted") this.#options.onError(error);
    }
  }

  #nowMs(): number {
    return (this.#options.now ?? performance.now.bind(performance))();
  }
}
