/** Files some of whose rows are deleted from now on: the same files, under new deletion vectors. */
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { type VectorPlace, writeVectors } from "./deletion_vectors.ts";
import type { LiveFile } from "./state.ts";
import { loosened } from "./statistics.ts";

/** A file, and every position of it that is deleted. */
export interface FileMarks {
  readonly file: LiveFile;
  readonly deleted: PositionBitmap;
  /** Whether rows leave the table by this. */
  readonly dataChange: boolean;
}

/** Files as the log will name them, with the file that their vectors stand in. */
export interface MarkedFiles {
  readonly path: string;
  /** In the order given. Since when their rows are deleted is known once they are staged. */
  readonly files: readonly LiveFile[];
}

/** Writes deletion vectors. */
export async function markRows(place: VectorPlace, marks: readonly FileMarks[]): Promise<MarkedFiles> {
  const { path, descriptors } = await writeVectors(place, marks.map(({ deleted }) => deleted));
  const files = marks.map(({ file, deleted, dataChange }, index): LiveFile => {
    const stats = loosened(file.add.stats);
    const add = {
      ...file.add,
      dataChange,
      deletionVector: descriptors[index]!,
      ...(stats === undefined ? {} : { stats }),
    };
    return { ...file, add, deleted: { positions: deleted, since: 0 } };
  });
  return { path, files };
}
