/**
 * Races over storages that fail, are slow, and do what they said they could not: no lost row, no row twice, none different, no
 * file gone that is needed, and none left that is not.
 *
 * They end after so many commits of each writer or so many seconds; `RACE_SEED`, `RACE_COMMITS` and `RACE_SECONDS` make others.
 */
import { assertRaced, race, type RaceOptions } from "./race.ts";
import { racedFormats } from "./raced_lake.ts";

const seed = Number(Deno.env.get("RACE_SEED") ?? 1);
const commits = Number(Deno.env.get("RACE_COMMITS") ?? 200);
const seconds = Number(Deno.env.get("RACE_SECONDS") ?? 8);
/** Of calls to the storage: about every third commit meets a failure. */
const shares = { fails: 0.02, slow: 0.05 };

type Contest = Pick<RaceOptions, "isKeyed" | "hasSource" | "writers" | "compactors"> & {
  readonly promise: string;
  readonly shows: readonly string[];
};

const contests: readonly Contest[] = [
  {
    promise:
      "two writers of one source append to a table: the one that is behind is fenced, every change is there once",
    ...{ isKeyed: false, hasSource: true, writers: 2, compactors: 0, shows: ["writer fenced"] },
  },
  {
    promise:
      "two writers without a common source replace rows beside a compactor: each tries again on what the other left",
    ...{ isKeyed: true, hasSource: false, writers: 2, compactors: 1, shows: ["merges", "expired"] },
  },
  {
    promise: "two compactors keep a table up under two writers of one source",
    ...{ isKeyed: true, hasSource: true, writers: 2, compactors: 2, shows: ["writer fenced", "merges", "expired"] },
  },
  {
    promise: "two writers without a common source append beside two compactors",
    ...{ isKeyed: false, hasSource: false, writers: 2, compactors: 2, shows: ["merges", "expired"] },
  },
];

for (const format of racedFormats) {
  for (const { promise, shows, ...contest } of contests) {
    Deno.test(`${format}: ${promise}`, async (test) => {
      console.log(`race of ${format}, seed ${seed}`);
      const counts = await race({ ...contest, format, seed, commits, seconds, shares });
      await test.step(Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", "), () => {
        assertRaced(counts, ["commits", ...shows]);
      });
    });
  }
}
