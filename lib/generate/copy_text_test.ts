import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { paymentGenerators } from "../domain/payments/generators.ts";
import { accountHolderRow, paymentRows } from "../domain/payments/rows.ts";
import { copyChunks, copyLine } from "./copy_text.ts";

/** SHA-256 over 500 holders and 500 payments of a seed at a standing clock. */
async function digest(seed: number, clockMs: number): Promise<string> {
  const { holders, payments, pool } = await paymentGenerators({ seed, clock: () => clockMs });
  const hash = createHash("sha256");
  for (let id = 1n; id <= 500n; id++) {
    const holder = holders.holder(id);
    pool.offer(holder);
    const row = accountHolderRow(holder);
    hash.update(copyLine(Object.keys(row), row));
  }
  for (let id = 1n; id <= 1000n; id += 2n) {
    for (const row of paymentRows(payments.payment(id))) hash.update(copyLine(Object.keys(row), row));
  }
  return hash.digest("hex");
}

Deno.test("same seed and clock give the same bytes, another seed or clock gives others", async () => {
  const clockMs = Date.UTC(2026, 0, 15, 8, 30);
  const first = await digest(42, clockMs);
  assert.equal(await digest(42, clockMs), first);
  assert.notEqual(await digest(43, clockMs), first);
  assert.notEqual(await digest(42, clockMs + 1), first);
  // Changes when lists, names or code change what is drawn; then say so in the change.
  assert.equal(first, "daab129600c5705410523156299c30d54b079ac7865aad8f8762816fa347629d");
});

Deno.test("characters that COPY gives a meaning to are escaped", () => {
  assert.equal(copyLine(["a", "b"], { a: "\\N", b: "x\r\ny\\.\t" }), "\\\\N\tx\\r\\ny\\\\.\\t\n");
  assert.equal(copyLine(["a", "b"], { a: "", b: null }), "\t\\N\n");
});

Deno.test("a row that lacks a column is refused", () => {
  assert.throws(() => copyLine(["a", "b"], { a: 1 }), RangeError);
});

Deno.test("chunks are large, made on demand, and lose nothing", () => {
  let made = 0;
  const chunks = copyChunks(100_000, () => `${made++}é\n`);
  const { value: first } = chunks.next();
  assert.ok(first !== undefined && first.length >= 65_536 && made < 20_000);
  const text = first.toString() + [...chunks].map((chunk) => chunk.toString()).join("");
  assert.equal(text, Array.from({ length: 100_000 }, (_, index) => `${index}é\n`).join(""));
});
