/** The file of a table that tells most of its rows. */

/** The file with the most rows; undefined where there is none. */
export function largestFile<File>(files: Iterable<File>, rowsOf: (file: File) => bigint): File | undefined {
  let [largest, most]: [File | undefined, bigint] = [undefined, -1n];
  for (const file of files) {
    const rows = rowsOf(file);
    if (rows > most) [largest, most] = [file, rows];
  }
  return largest;
}
