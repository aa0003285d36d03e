/**
 * Races over storages that fail, are slow, and do what they said they could not: no lost row, no row twice, none different, no
 * file gone that is needed, and none left that is not.
 *
 * One contest of each format, the one that holds the most of them all, ends after so many seconds; `RACE_CONTESTS=all` has every
 * one. `RACE_SEED`, `RACE_COMMITS` (of each writer) and `RACE_SECONDS` make others.
 */
import assert from "node:assert/strict";
import { race, type RaceOptions } from "./race.ts";
import { racedFormats } from "./raced_lake.ts";

const seed = Number(Deno.env.get("RACE_SEED") ?? 1);
const commits = Number(Deno.env.get("RACE_COMMITS") ?? 200);
const seconds = Number(Deno.env.get("RACE_SECONDS") ?? 5);
/** Of calls to the storage: about every other commit meets a failure. */
const shares = { fails: 0.03, slow: 0.05 };

type Contest = Pick<RaceOptions, "isKeyed" | "hasSource" | "writers" | "compactors"> & { readonly promise: string };

const contests: readonly Contest[] = [
  {
    promise: "two writers of one source append: the one that is behind is fenced, every change is there once",
    ...{ isKeyed: false, hasSource: true, writers: 2, compactors: 0 },
  },
  {
    promise:
      "two writers without a common source replace rows beside a compactor: each goes on from what the other left",
    ...{ isKeyed: true, hasSource: false, writers: 2, compactors: 1 },
  },
  {
    promise: "two compactors keep a table up under two writers of one source",
    ...{ isKeyed: true, hasSource: true, writers: 2, compactors: 2 },
  },
  {
    promise: "a writer appends beside two compactors",
    ...{ isKeyed: false, hasSource: false, writers: 1, compactors: 2 },
  },
];

const isWhole = Deno.env.get("RACE_CONTESTS") === "all";
const chosen = isWhole ? contests : contests.filter(({ hasSource, compactors }) => hasSource && compactors > 0);

for (const format of racedFormats) {
  Deno.test(`${format}: whoever races, no row is lost, twice or different, and no file is missing or left over`, async (test) => {
    const totals: Record<string, number> = {};
    for (const { promise, ...contest } of chosen) {
      await test.step(`${promise} (seed ${seed})`, async (step) => {
        const counts = await race({ ...contest, format, seed, commits, seconds, shares });
        const text = Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
        await step.step(text, () => assert.ok(counts["commits"]));
        for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
      });
    }
    // A few seconds may pass without an expiry.
    const wanted = ["writer fenced", "merges", "before", "orphans", ...isWhole ? ["expired", "after", "late"] : []];
    assert.deepEqual(wanted.filter((name) => !totals[name]), [], "what races must show");
  });
}
