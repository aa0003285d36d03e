import assert from "node:assert/strict";
import fc from "fast-check";
import { spoolCsvOptions, spoolQuote } from "../change/spool_format.ts";
import { literal } from "../engine/quote.ts";
import { spoolLine } from "../testing/scripted_spool.ts";
import { withDatabase } from "../testing/temporary.ts";

const quotes = [spoolQuote, spoolQuote, spoolQuote + spoolQuote];
const piece = fc.constantFrom(...quotes, ",", "\n", "\r", "\r\n", '"', "\\", "", "é", "😀", "value", "x".repeat(31));
const value = fc.option(
  fc.array(piece, { maxLength: 11, size: "max" }).map((pieces) => pieces.join("")),
  { freq: 10 },
);

for (const columns of [1, 2]) {
  Deno.test(`a file of many buffers and ${columns} columns is read exactly, whatever stands around their ends`, () =>
    withDatabase(async ({ connection, folder }) => {
      const rows = fc.sample(fc.array(value, { minLength: columns, maxLength: columns }), {
        numRuns: 9000,
        seed: columns,
      });
      const path = `${folder}/rows.csv`;
      await Deno.writeTextFile(path, rows.map((row, index) => spoolLine([index, ...row])).join(""));
      const names = ["place", ...rows[0]!.map((_, index) => `c${index}`)].map((name) => `'${name}': 'VARCHAR'`);
      for (const bufferBytes of [16 * 1024, 20_001, 32 * 1024]) {
        const read = await connection.rows(`FROM read_csv(${literal(path)}, ${spoolCsvOptions}, max_line_size = 16384,
          buffer_size = ${bufferBytes}, columns = {${names}})`);
        assert.deepEqual(read.map((row) => Object.values(row)), rows.map((row, index) => [String(index), ...row]));
      }
    }));
}
