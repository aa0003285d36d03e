import assert from "node:assert/strict";
import fc from "fast-check";
import { spoolCsvOptions, spoolQuote } from "../change/spool_format.ts";
import { literal } from "../engine/quote.ts";
import { spoolLine, writeLines } from "../testing/scripted_spool.ts";
import { type DatabaseFixture, withDatabase } from "../testing/temporary.ts";

type Values = readonly (string | null)[];

const quotes = [spoolQuote, spoolQuote, spoolQuote + spoolQuote];
const piece = fc.constantFrom(...quotes, ",", "\n", "\r", "\r\n", '"', "\\", "", "é", "😀", "value", "x".repeat(31));
const value = fc.option(
  fc.array(piece, { maxLength: 11, size: "max" }).map((pieces) => pieces.join("")),
  { freq: 10 },
);

/** Writes rows to a file and reads them with buffers of at least so many bytes. */
async function throughCsv(
  { connection, folder }: DatabaseFixture,
  file: { readonly rows: readonly Values[]; readonly bufferBytes: number },
): Promise<readonly unknown[][]> {
  const { paths, longestLineBytes } = await writeLines(
    `${folder}/rows.csv`,
    file.rows.map((row) => spoolLine([...row])),
  );
  const names = file.rows[0]!.map((_, index) => `'c${index}': 'VARCHAR'`);
  const options = spoolCsvOptions(longestLineBytes, file.bufferBytes);
  const rows = await connection.rows(`FROM read_csv(${literal(paths[0]!)}, ${options}, columns = {${names}})`);
  return rows.map((row) => Object.values(row));
}

for (const columns of [1, 2]) {
  Deno.test(`a file of many buffers and ${columns} columns is read exactly, whatever stands around their ends`, () =>
    withDatabase(async (fixture) => {
      const row = fc.array(value, { minLength: columns, maxLength: columns });
      const rows = fc.sample(row, { numRuns: 9000, seed: columns }).map((values, place) => [String(place), ...values]);
      for (const bufferBytes of [16 * 1024, 20_001, 32 * 1024]) {
        assert.deepEqual(await throughCsv(fixture, { rows, bufferBytes }), rows);
      }
    }));
}

for (const text of ["x", "x,\n", spoolQuote, `,${spoolQuote}`]) {
  Deno.test(`a line of any length is read exactly, at any place of a file, full of ${JSON.stringify(text)}`, () =>
    withDatabase(async (fixture) => {
      for (let bytes = 1000; bytes < 400_000; bytes = Math.ceil(bytes * 1.37)) {
        const long = (place: number) => [String(place), ...["a", "b", "c"].map((end) => text.repeat(bytes / 3) + end)];
        const rows = [long(0), ["1", "", null, "s"], long(2), long(3), ["4", ",", "\n", spoolQuote], long(5)];
        assert.deepEqual(await throughCsv(fixture, { rows, bufferBytes: 16 * 1024 }), rows);
      }
    }));
}
