import assert from "node:assert/strict";
import fc from "fast-check";
import { spoolQuote } from "../../change/spool_format.ts";
import { shownSpool, spoolLine } from "../../testing/scripted_spool.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { SpoolFolder } from "./spool_folder.ts";
import { type RefusedValue, TupleSpool } from "./tuple_spool.ts";

type Value = string | null | undefined;

const encoder = new TextEncoder();

/** A tuple in pgoutput's framing; undefined stands for an unchanged value. */
function tuple(values: readonly Value[]): readonly number[] {
  return [
    0,
    values.length,
    ...values.flatMap((value) => {
      if (value === null) return [0x6e];
      if (value === undefined) return [0x75];
      const bytes = encoder.encode(value);
      return [0x74, ...new Uint8Array(new Uint32Array([bytes.length]).buffer).reverse(), ...bytes];
    }),
  ];
}

const message = (...parts: readonly (number | readonly number[])[]) =>
  Uint8Array.from([0, 0, 0, 0, 0, ...parts.flat()]);

async function spooled(
  write: (spool: TupleSpool) => void,
  options: {
    readonly columnCount?: number;
    readonly keyColumns?: readonly number[];
    readonly maxValueBytes?: number;
    readonly refused?: RefusedValue[];
  } = {},
): Promise<string> {
  return await withTemporaryFolder(async (path) => {
    const folder = new SpoolFolder(path);
    await folder.clear();
    const file = folder.open();
    write(
      new TupleSpool({
        file,
        columnCount: options.columnCount ?? 2,
        keyColumns: options.keyColumns ?? [0],
        maxValueBytes: options.maxValueBytes ?? 2 ** 26,
        onRefused: (refused) => options.refused?.push(refused),
      }),
    );
    await file.end();
    return await Deno.readTextFile(file.path);
  });
}

Deno.test("any values become one line with quotes doubled, NULL beside empty", async () => {
  const value = fc.option(
    fc.oneof(
      fc.string(),
      fc.constantFrom(spoolQuote, "", ",", "\n", '"', `${spoolQuote}"`, "é".repeat(300), spoolQuote.repeat(600)),
    ),
  );
  const property = fc.asyncProperty(fc.array(fc.tuple(fc.string(), value), { maxLength: 8 }), async (rows) => {
    const text = await spooled((spool) =>
      rows.forEach((row, index) => spool.insert(message(0x4e, tuple(row)).subarray(0), 0, index))
    );
    const lines = rows.map((row, index) =>
      spoolLine(["I", index, null, null, ...row.map((value) => value?.toWellFormed() ?? null)])
    );
    assert.equal(text, lines.join(""));
  });
  await fc.assert(property, { numRuns: 60, seed: 7 });
});

Deno.test("ordinals of any size are written in decimal", async () => {
  const ordinals = [0, 9, 10, 99, 100, 1_000_000, 999_999_999_999];
  const text = await spooled((spool) => {
    for (const ordinal of ordinals) spool.insert(message(0x4e, tuple(["k", null])), 0, ordinal);
  });
  assert.deepEqual(text.trimEnd().split("\n").map((line) => Number(line.split(",")[1]?.slice(1, -1))), ordinals);
});

Deno.test("an update with the old key tells whether the key has changed", async () => {
  const text = await spooled((spool) => {
    spool.update(message(0x4b, tuple(["a", null]), 0x4e, tuple(["b", "1"])), 0, 0);
    spool.update(message(0x4b, tuple(["b", null]), 0x4e, tuple(["b", "2"])), 0, 1);
    spool.update(message(0x4b, tuple(["b", null]), 0x4e, tuple([undefined, undefined])), 0, 2);
    assert.deepEqual([spool.updates, spool.keyChanges, spool.unchangedRows], [3, 1, 1]);
  });
  assert.equal(shownSpool(text), '"U","0",,"a","b","1"\n"U","1",,,"b","2"\n"U","2","1",,"b",\n');
});

Deno.test("a part of the key that was not sent again stands twice in the line, also where it is full of quotes", async () => {
  const part = spoolQuote.repeat(60_000);
  const text = await spooled(
    (spool) => spool.update(message(0x4b, tuple([part, "a"]), 0x4e, tuple([undefined, "b"])), 0, 0),
    { keyColumns: [0, 1] },
  );
  assert.equal(text, spoolLine(["U", 0, null, part, "a", part, "b"]));
});

Deno.test("a value over the limit is NULL and named; a key over the limit leaves the row out", async () => {
  const refused: RefusedValue[] = [];
  const text = await spooled((spool) => {
    spool.insert(message(0x4e, tuple(["k", "x".repeat(11)])), 0, 0);
    spool.insert(message(0x4e, tuple(["k".repeat(11), "x"])), 0, 1);
    spool.insert(message(0x4e, tuple(["j", "x".repeat(10)])), 0, 2);
    assert.equal(spool.rows, 2);
  }, { maxValueBytes: 10, refused });
  assert.equal(shownSpool(text), '"I","0",,,"k",\n"I","2",,,"j","xxxxxxxxxx"\n');
  assert.deepEqual(refused, [
    { ordinal: 0, column: 1, bytes: 11, key: ["k"] },
    { ordinal: 1, column: undefined, bytes: 11, key: undefined },
  ]);
});

Deno.test("rows larger than a buffer arrive whole", async () => {
  const body = `a${spoolQuote}${"b".repeat(3 * 2 ** 20)}`;
  const text = await spooled((spool) => {
    for (let row = 0; row < 3; row++) spool.insert(message(0x4e, Array.from(tuple(["k", null]))), 0, row);
    const large = new Uint8Array(5 + 1 + 2 + 6 + 5 + body.length);
    large.set(message(0x4e, tuple(["k"])), 0);
    large[7] = 2;
    large.set([0x74, ...new Uint8Array(new Uint32Array([body.length]).buffer).reverse()], 14);
    large.set(encoder.encode(body), 19);
    spool.insert(large, 0, 3);
  });
  assert.equal(shownSpool(text).split("\n")[3], `"I","3",,,"k","a""${body.slice(2)}"`);
});
