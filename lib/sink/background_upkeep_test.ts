import assert from "node:assert/strict";
import type { CompactionPlan } from "../table/upkeep.ts";
import { WeirError } from "../errors.ts";
import type { PlannedMerge } from "./table_upkeep.ts";
import { BackgroundUpkeep, type UpkeepSteps } from "./background_upkeep.ts";

const small: CompactionPlan = { files: 8, bytes: 8n, rows: 8n, reason: "small files", isUrgent: false };

/** Steps that note what is asked of them; a merge ends when the test says so. */
class Steps implements UpkeepSteps {
  readonly log: string[] = [];
  plan: CompactionPlan | undefined = small;
  expiryFails = false;
  #merges: PromiseWithResolvers<void>[] = [];

  planned(): Promise<PlannedMerge | undefined> {
    return Promise.resolve(this.plan && { plan: this.plan, state: { columns: [], key: [], rows: 8n } });
  }

  async merge({ plan }: PlannedMerge): ReturnType<UpkeepSteps["merge"]> {
    const merge = Promise.withResolvers<void>();
    this.#merges.push(merge);
    this.log.push("merging");
    await merge.promise;
    return { plan, land: () => Promise.resolve(this.log.push("landed") > 0) };
  }

  async endMerge(error?: Error): Promise<void> {
    const merge = this.#merges.shift();
    assert.ok(merge, "nothing is being merged");
    if (error === undefined) merge.resolve();
    else merge.reject(error);
    await new Promise((resolve) => setTimeout(resolve));
  }

  expirePartitions(): Promise<number> {
    return Promise.resolve(0);
  }

  expire(): ReturnType<UpkeepSteps["expire"]> {
    this.log.push("expired");
    if (this.expiryFails) throw new WeirError("storage", "no such luck");
    return Promise.resolve({ snapshots: 0, unneeded: [] });
  }
}

function scene() {
  const steps = new Steps();
  const errors: WeirError[] = [];
  const clock = { nowMs: 0 };
  const writer = { isBehind: false };
  const upkeep = new BackgroundUpkeep(steps, {
    expireEveryMs: 1000,
    onError: (error) => errors.push(error),
    isBehind: () => writer.isBehind,
    now: () => clock.nowMs,
  });
  return { steps, errors, clock, writer, upkeep };
}

Deno.test("the writer goes on while files are merged, and what was merged is committed on its next turn", async () => {
  const { steps, upkeep } = scene();
  await upkeep.turn();
  await upkeep.turn();
  assert.deepEqual(steps.log, ["merging"]);
  steps.plan = undefined;
  await steps.endMerge();
  assert.deepEqual(steps.log, ["merging"]);
  await upkeep.turn();
  assert.deepEqual(steps.log, ["merging", "landed"]);
});

Deno.test("the writer waits for a merge only where files come faster than they are merged", async () => {
  const { steps, upkeep } = scene();
  steps.plan = { ...small, isUrgent: true };
  let isOver = false;
  const turn = upkeep.turn().then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isOver, false);
  await steps.endMerge();
  await turn;
  assert.deepEqual(steps.log, ["merging", "landed"]);
});

Deno.test("while the writer has fallen behind, only what cannot wait is merged", async () => {
  const { steps, writer, upkeep } = scene();
  writer.isBehind = true;
  await upkeep.turn();
  assert.deepEqual(steps.log, []);
  writer.isBehind = false;
  await upkeep.turn();
  assert.deepEqual(steps.log, ["merging"]);
  await steps.endMerge();
  await upkeep.turn();
  writer.isBehind = true;
  steps.plan = { ...small, isUrgent: true };
  await steps.endMerge();
  const turn = upkeep.turn();
  await new Promise((resolve) => setTimeout(resolve));
  await steps.endMerge();
  await turn;
  assert.deepEqual(steps.log, ["merging", "landed", "merging", "landed", "merging", "landed"]);
});

Deno.test("trouble is told, costs the writer nothing, and is tried again after a rest", async () => {
  const { steps, errors, clock, upkeep } = scene();
  await upkeep.turn();
  await steps.endMerge(new Error("disk full"));
  await upkeep.turn();
  assert.deepEqual(errors.map(({ message }) => message), ["disk full"]);
  assert.deepEqual(steps.log, ["merging"]);
  clock.nowMs += 60_000;
  steps.expiryFails = true;
  await upkeep.turn();
  assert.deepEqual(steps.log, ["merging", "merging", "expired"]);
  assert.deepEqual(errors.map(({ message }) => message), ["disk full", "no such luck"]);
  await steps.endMerge();
  await upkeep.close();
});

Deno.test("snapshots are expired every so often", async () => {
  const { steps, clock, upkeep } = scene();
  steps.plan = undefined;
  for (; clock.nowMs <= 3000; clock.nowMs += 100) await upkeep.turn();
  assert.deepEqual(steps.log, ["expired", "expired", "expired"]);
});

Deno.test("closing commits the merge under way", async () => {
  const { steps, upkeep } = scene();
  await upkeep.turn();
  const closed = upkeep.close();
  await steps.endMerge();
  await closed;
  assert.deepEqual(steps.log, ["merging", "landed"]);
});
