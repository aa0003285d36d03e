/** Any row of changes, merges and expiries leaves the rows of a plain table, in Iceberg and in Delta. Paimon's is its own. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { propertyNames } from "../../lib/table/delta/properties.ts";
import type { UpkeepTable } from "../../lib/table/upkeep.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { icebergShape } from "./iceberg_shape.ts";
import { cards, partitionedCards, steps, UpkeepScene, type UpkeepShape } from "./upkeep_scene.ts";

interface Kind {
  readonly name: string;
  readonly shape: UpkeepShape<UpkeepTable>;
  /** Each run takes a second or two. */
  readonly chance: { readonly numRuns: number; readonly seed?: number };
}

/** Of a Delta table that keeps no past. */
const forgetful = {
  [propertyNames.checkpointInterval]: "3",
  [propertyNames.logRetention]: "interval 0 seconds",
  [propertyNames.fileRetention]: "interval 0 seconds",
};

function delta(deletes: "vectors" | "rewrite", isPartitioned: boolean): Kind {
  return {
    name: `Delta by ${deletes}, ${isPartitioned ? "partitioned by a value and by day" : "in one folder"}`,
    shape: {
      definition: isPartitioned ? partitionedCards : cards,
      open: (place) => new DeltaTable({ ...place, folder: "cards", deletes, properties: forgetful }),
    },
    chance: { numRuns: 3, seed: 3 },
  };
}

function iceberg(formatVersion: 2 | 3, isPartitioned: boolean): Kind {
  const isSorted = (formatVersion === 3) === isPartitioned;
  const shape = `${isPartitioned ? "partitioned by a value and by day" : "unpartitioned"}, ${
    isSorted ? "sorted" : "unsorted"
  }`;
  return {
    name: `Iceberg v${formatVersion}, ${shape}`,
    shape: icebergShape({ formatVersion, isPartitioned, isSorted }),
    chance: { numRuns: 4 },
  };
}

const kinds = [false, true].flatMap((isPartitioned) => [
  ...[iceberg(2, isPartitioned), iceberg(3, isPartitioned)],
  ...[delta("vectors", isPartitioned), delta("rewrite", isPartitioned)],
]);

for (const { name, shape, chance } of kinds) {
  Deno.test(`${name}: any row of changes, merges and expiries leaves the rows of a plain table`, async (test) => {
    const total = { runs: 0, merged: 0, expired: 0 };
    const property = fc.asyncProperty(steps, (taken) =>
      withDatabase(async (fixture) => {
        const scene = new UpkeepScene(fixture, shape);
        await scene.model.create();
        for (const each of taken) await scene.take(each);
        await scene.check();
        total.runs++;
        total.merged += scene.merged;
        total.expired += scene.expired;
      }, { threads: 2 }));
    await fc.assert(property, { ...chance, endOnFailure: true });
    await test.step(`${total.merged} merges and ${total.expired} expired snapshots in ${total.runs} runs`, () => {
      assert.ok(total.merged > 0 && total.expired > 0, JSON.stringify(total));
    });
  });
}
