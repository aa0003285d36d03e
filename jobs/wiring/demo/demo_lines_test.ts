import assert from "node:assert/strict";
import { painter } from "../../../lib/cli/paint.ts";
import { textWidth } from "../../../lib/cli/table.ts";
import { demoLines } from "./demo_lines.ts";
import { type DemoFigures, firstFigures } from "./figures.ts";

const payment = {
  time: "11-23 09:05:59",
  kind: "paymentNRT",
  amount: "38,268.18 ZAR",
  from: "Cheque, 三菱UFJ銀行と日本のとても長い名前の銀行",
  to: "MasterCard, The Standard Bank of South Africa",
  account: "***",
};

const figures: DemoFigures = {
  formats: ["iceberg", "paimon", "delta"],
  activity: "capturing",
  isStopping: false,
  elapsedSeconds: 83,
  rows: 1_234_567,
  rates: [90_000, ...Array.from({ length: 300 }, (_, second) => 900 + second % 7 * 30)],
  lagBytes: 12_600,
  lagSeconds: 0.42,
  tables: ["account_holders", "accounts", "transactions"].flatMap((name) =>
    ["iceberg", "paimon", "delta"].map((format) => (
      { name, format, rows: 1_234_567n, files: 1_046, bytes: 1.5e9, commits: 12_345 }
    ))
  ),
  payments: Array.from({ length: 30 }, () => payment),
  similar: Array.from({ length: 30 }, (_, place) => ({ ...payment, similarity: 0.99 - place / 100 })),
  notes: ['capturing through slot "weir_pipeline_0123456789abcdef"\n  What to do: nothing'],
};

const paint = painter(false);

Deno.test("every line fits the terminal, whatever its size, also with wide characters and before there is anything to show", () => {
  const empty = { ...figures, ...firstFigures };
  for (const [columns, rows] of [[80, 24], [140, 40], [300, 100], [46, 12], [20, 5], [1, 1]] as const) {
    for (const each of [figures, empty]) {
      const lines = demoLines(each, { columns, rows, paint });
      assert.ok(lines.length <= rows, `${lines.length} lines in ${columns} x ${rows}`);
      for (const line of lines) assert.ok(textWidth(line) <= columns, `${columns} x ${rows}: ${line}`);
    }
  }
});

Deno.test("at 80 x 24 everything has its place, and the last line is what was said last", () => {
  const lines = demoLines({ ...figures, tables: figures.tables.filter(({ format }) => format !== "delta") }, {
    columns: 80,
    rows: 24,
    paint,
  });
  const text = lines.join("\n");
  assert.equal(lines.length, 24);
  for (const part of ["1:23 min", "Ctrl-C verifies", "rows/s", "1,234,567 rows in all", "lag 12.3 KiB, 0.42 s"]) {
    assert.ok(text.includes(part), part);
  }
  assert.equal(text.match(/^(?:account_holders|accounts|transactions| +) +(?:iceberg|paimon) +1,234,567/gm)?.length, 6);
  assert.ok((text.match(/→/g)?.length ?? 0) >= 6);
  assert.match(lines.at(-1) ?? "", /^capturing through slot/);
});

Deno.test("colours are left out where they are not wanted, and a look changes no place", () => {
  const canvas = { columns: 120, rows: 40 };
  const plain = demoLines(figures, { ...canvas, paint });
  const coloured = demoLines(figures, { ...canvas, paint: painter(true) });
  const escape = String.fromCharCode(27);
  assert.ok(!plain.join("").includes(escape) && coloured.join("").includes(escape));
  const codes = new RegExp(`${escape}\\[[0-9;]*m`, "g");
  assert.deepEqual(coloured.map((line) => line.replace(codes, "")), plain);
});

Deno.test("one burst does not make what comes after it small", () => {
  const graph = demoLines(figures, { columns: 301, rows: 40, paint }).slice(4, 12).join("\n");
  assert.ok(graph.split("\n").filter((line) => /[▁-█]{200}/.test(line)).length >= 3, graph);
});
