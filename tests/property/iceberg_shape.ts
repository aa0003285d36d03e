/** Iceberg tables for random upkeep. */
import assert from "node:assert/strict";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { IcebergState } from "../../lib/table/iceberg/state.ts";
import { cards, partitionedCards, type UpkeepShape } from "./upkeep_scene.ts";

/** How a table is laid out. */
export interface IcebergLayout {
  readonly formatVersion: 2 | 3;
  readonly isPartitioned: boolean;
  readonly isSorted: boolean;
}

/** A table of a layout, with tags. */
export function icebergShape({ formatVersion, isPartitioned, isSorted }: IcebergLayout): UpkeepShape<IcebergTable> {
  return {
    definition: {
      ...(isPartitioned ? partitionedCards : cards),
      ...(isSorted ? { sortBy: ["name"] } : {}),
    },
    open: (place) => new IcebergTable({ ...place, folder: "cards", formatVersion }),
    tags: {
      set: async (table: IcebergTable, state: IcebergState, name: string) => {
        assert.equal((await table.setRef(state, name, { type: "tag" })).outcome, "committed");
      },
      at: async (table: IcebergTable, state: IcebergState, name: string) => (await table.at(state, { ref: name }))!,
    },
  };
}
