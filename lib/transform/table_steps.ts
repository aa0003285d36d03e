/** Which lake tables a dataset becomes: its own with flattened and embedded columns, and one for each array of child rows. */
import type { Transform } from "../change/transform.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { createChildRows } from "./child_rows.ts";
import { createEmbed, type EmbedOptions } from "./embed.ts";
import { createFlatten } from "./flatten.ts";

/** The way from a source's rows to one lake table. */
export interface TableSteps {
  /** In this order. */
  readonly transforms: readonly Transform[];
  /** `key`: a row per source row. `parent`: rows out of a source row's array. */
  readonly rowsBelongTo: "key" | "parent";
}

/** Those of a dataset, the main table's first. Without an embedding no table gets vectors. */
export function tableSteps(dataset: Dataset, embedding?: EmbedOptions): readonly [TableSteps, ...TableSteps[]] {
  const transforms = [
    ...((dataset.projections ?? []).length === 0 ? [] : [createFlatten(dataset)]),
    ...(embedding === undefined ? [] : [createEmbed(embedding)]),
  ];
  const children = (dataset.children ?? []).map((child): TableSteps => ({
    transforms: [createChildRows(child)],
    rowsBelongTo: "parent",
  }));
  return [{ transforms, rowsBelongTo: "key" }, ...children];
}
