import assert from "node:assert/strict";
import { createEmbedder } from "./create_embedder.ts";
import { textBatch } from "./embedder.ts";
import { shippedRevision } from "./model_source.ts";

const embedder = await createEmbedder("weir", { workers: 1 });
Deno.test.afterAll(() => embedder.close());

const payment = (amount: string, time = "Monday night") =>
  `Payment: medium outbound. Account: Visa, Nedbank. Counterparty: Savings, Absa Bank. Type: paymentRT. Country: ZAF. ` +
  `Range: 2000 to 5000 ZAR. Amount: ${amount}. Time: ${time}`;

Deno.test("the shipped model is there without a network, and whatever changes in an amount changes the vector", async () => {
  const texts = ["4603.17", "4603.18", "4617.03", "46.17", "17.46", "15.18", "18.15"].map((amount) => payment(amount));
  const { vectors, failures } = await embedder.embed(textBatch(texts));
  assert.deepEqual(embedder.model.dimensions, 128);
  assert.ok(embedder.model.semantic);
  assert.equal(
    embedder.model.revision,
    shippedRevision,
    "whoever replaces the model says so where its checksum is told",
  );
  assert.deepEqual(failures, []);
  const found = texts.map((_, text) => vectors.subarray(text * 128, (text + 1) * 128).join());
  assert.equal(new Set(found).size, texts.length);
});

Deno.test("a payment of a cent more is nearer than one of another time of day", async () => {
  const { vectors } = await embedder.embed(
    textBatch([payment("4603.17"), payment("4603.18"), payment("4603.17", "Friday morning")]),
  );
  const cosine = (other: number) => {
    let sum = 0;
    for (let index = 0; index < 128; index++) sum += vectors[index]! * vectors[other * 128 + index]!;
    return sum;
  };
  assert.ok(cosine(1) > cosine(2));
});

Deno.test("a text of any kind has a vector of length 1 or a reason for none, alone the same as beside others", async () => {
  const unknown = [
    "",
    " ",
    "\n\t \u00a0\u3000",
    "\u200b",
    "\ufeff",
    "\0",
    "🎉",
    "🎉 🎊",
    "🎉".repeat(2 ** 12),
    "a".repeat(2 ** 20),
  ];
  const known = ["日本", "é", ":", "🎉 rent", "日".repeat(2 ** 12), payment("4603.17"), "payment ".repeat(2 ** 17)];
  const texts = known.flatMap((text, index) => [text, unknown[index]!]).concat(unknown.slice(known.length));
  const together = await embedder.embed(textBatch(texts));
  for (const [index, text] of texts.entries()) {
    const alone = await embedder.embed(textBatch([text]));
    const [failed] = together.failures.filter((failure) => failure.text === index);
    assert.deepEqual(alone.failures[0]?.reason, failed?.reason);
    assert.equal(failed === undefined, known.includes(text), text.slice(0, 9));
    assert.deepEqual(together.vectors.slice(index * 128, (index + 1) * 128), alone.vectors);
    if (failed === undefined) assert.ok(Math.abs(Math.hypot(...alone.vectors) - 1) < 1e-5);
  }
});
