import assert from "node:assert/strict";
import type { LetterDraft } from "../change/dead_letter.ts";
import { WeirError } from "../errors.ts";
import { FaultyStorage } from "../testing/faulty_storage.ts";
import { MemoryStorage } from "../testing/memory_storage.ts";
import { copyPartOffset, DeadLetters } from "./dead_letters.ts";

const position = (offset: string) => ({ instance: "memory:1/1", offset });
const batch = (rows: number, offset = "0/16A") => ({ table: "shop.orders", position: position(offset), rows });

const drafts: readonly LetterDraft[] = [
  { ordinal: 3n, reason: "the key is over the limit" },
  { ordinal: 4n, column: "price", key: '{"id":4}', reason: "not a number" },
  { ordinal: 4n, column: "price", key: '{"id":4,"ordinal":0}', reason: "not a number", element: 0 },
  { ordinal: 4n, column: "price", key: '{"id":4,"ordinal":1}', reason: "not a number", element: 1 },
];

async function lettersOf(storage: MemoryStorage, path: string) {
  const lines = new TextDecoder().decode(await storage.read(path)).split("\n");
  assert.equal(lines.pop(), "");
  return lines.map((line) => JSON.parse(line));
}

async function pathsOf(storage: MemoryStorage): Promise<readonly string[]> {
  return (await Array.fromAsync(storage.list(""))).map(({ path }) => path);
}

Deno.test("every letter has an id of its own, also those of the elements of one row's array", async () => {
  const storage = new MemoryStorage();
  const letters = new DeadLetters(storage);
  await letters.write(drafts, batch(10));
  assert.deepEqual(await pathsOf(storage), ["dead_letters/shop.orders/0%2F16A.jsonl"]);
  const found = await lettersOf(storage, "dead_letters/shop.orders/0%2F16A.jsonl");
  assert.deepEqual(found.map(({ id }) => id), ["0/16A:3", "0/16A:4:price", "0/16A:4:price:0", "0/16A:4:price:1"]);
  assert.deepEqual(found[3], {
    id: "0/16A:4:price:1",
    table: "shop.orders",
    column: "price",
    key: '{"id":4,"ordinal":1}',
    reason: "not a number",
  });
  assert.equal(letters.count, 4);
});

Deno.test("a replayed batch writes its letters over those of the first try, and another batch beside them", async () => {
  const storage = new MemoryStorage();
  await new DeadLetters(storage).write(drafts, batch(10));
  const again = new DeadLetters(storage);
  await again.write(drafts, batch(10));
  await again.write(drafts.slice(0, 1), batch(10, "0/16B"));
  assert.deepEqual(await pathsOf(storage), [
    "dead_letters/shop.orders/0%2F16A.jsonl",
    "dead_letters/shop.orders/0%2F16B.jsonl",
  ]);
  assert.equal((await lettersOf(storage, "dead_letters/shop.orders/0%2F16A.jsonl")).length, 4);
});

Deno.test("letters of batches that are read again are removed, those of initial copies when a copy begins", async () => {
  const storage = new MemoryStorage();
  const letters = new DeadLetters(storage);
  for (const offset of ["0/16A", "0/16B", copyPartOffset("0/16C", 0), "0/16D"]) {
    await letters.write(drafts, batch(10, offset));
  }
  await letters.write(drafts, { ...batch(10, "0/16D"), table: "shop.orders_old" });
  const paths = (...offsets: readonly string[]) => [
    ...offsets.map((offset) => `dead_letters/shop.orders/${encodeURIComponent(offset)}.jsonl`),
    "dead_letters/shop.orders_old/0%2F16D.jsonl",
  ];
  await letters.removeAfter("shop.orders", (offset) => offset > "0/16A");
  assert.deepEqual(await pathsOf(storage), paths("0/16A", "0/16C-copy-0"));
  await letters.removeCopied("shop.orders");
  assert.deepEqual(await pathsOf(storage), paths("0/16A"));
  await letters.removeAfter("shop.nothing", () => true);
});

Deno.test("a batch without letters writes nothing", async () => {
  const storage = new MemoryStorage();
  await new DeadLetters(storage).write([], batch(10));
  assert.deepEqual(await pathsOf(storage), []);
});

Deno.test("too large a share stops the job once enough rows were seen, and not before", async () => {
  const letters = new DeadLetters(new MemoryStorage(), { share: 0.1, afterRows: 100 });
  await letters.write(drafts, batch(4));
  await letters.write([], batch(95));
  await letters.write(drafts, batch(1, "0/16B"));
  await assert.rejects(letters.write(drafts, batch(1, "0/16C")), {
    kind: "tooManyDeadLetters",
    message: "More than 10 % of the rows have a dead letter",
    detail: { table: "shop.orders", counts: { deadLetters: 12, rows: 101 } },
  });
});

Deno.test("a write that failed and is tried again counts its rows once", async () => {
  const inner = new MemoryStorage();
  const storage = new FaultyStorage(inner, () => "before");
  const letters = new DeadLetters(storage, { share: 0.1, afterRows: 40 });
  for (let attempt = 0; attempt < 5; attempt++) await assert.rejects(letters.write(drafts, batch(20)), WeirError);
  storage.plan = () => undefined;
  await letters.write(drafts, batch(20));
  await assert.rejects(letters.write(drafts, batch(20, "0/16B")), {
    detail: { table: "shop.orders", counts: { deadLetters: 8, rows: 40 } },
  });
});
