/** Which files must be merged by key, and which can be read as they are (Paimon `IntervalPartition`). */
import { deserializeRow, type KeyValue } from "./binary_row.ts";
import { compareKeys, type KeyColumn } from "./key_columns.ts";
import type { LiveFile } from "./table_state.ts";

/** Files of a snapshot, by what a reader has to do with them. */
export interface Sections {
  /** Files whose keys stand in no other file: each row is the only version of its key. */
  readonly alone: readonly LiveFile[];
  /** Files that may hold several versions of a key. */
  readonly overlapping: readonly LiveFile[];
}

/** Splits files by whether their key range meets that of another file in the same place. */
export function splitSections(files: readonly LiveFile[], key: readonly KeyColumn[]): Sections {
  const alone: LiveFile[] = [];
  const overlapping: LiveFile[] = [];
  for (const members of Map.groupBy(files, (file) => file.place.id).values()) {
    for (const section of keySections(members, key)) (section.length === 1 ? alone : overlapping).push(...section);
  }
  return { alone, overlapping };
}

/** One place's files in groups that are linked by overlapping key ranges, in key order. */
export function keySections(files: readonly LiveFile[], key: readonly KeyColumn[]): readonly (readonly LiveFile[])[] {
  const types = key.map(({ type }) => type);
  const ranges = files
    .map((file) => ({ file, min: deserializeRow(types, file.minKey), max: deserializeRow(types, file.maxKey) }))
    .sort((left, right) => compareKeys(left.min, right.min));
  return sectionsOf(ranges);
}

interface KeyRange {
  readonly file: LiveFile;
  readonly min: readonly KeyValue[];
  readonly max: readonly KeyValue[];
}

/** Runs of ranges, sorted by their lower end, that are linked by overlaps. */
function sectionsOf(ranges: readonly KeyRange[]): LiveFile[][] {
  const sections: LiveFile[][] = [];
  let end: readonly KeyValue[] | undefined;
  for (const { file, min, max } of ranges) {
    if (end === undefined || compareKeys(min, end) > 0) sections.push([file]);
    else sections.at(-1)!.push(file);
    if (end === undefined || compareKeys(max, end) > 0) end = max;
  }
  return sections;
}
