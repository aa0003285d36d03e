import assert from "node:assert/strict";
import { createEmbedder } from "./create_embedder.ts";
import { textBatch } from "./embedder.ts";

const payment = (amount: string, time = "Monday night") =>
  `Payment: medium outbound ${time}. Range: 2000 to 5000 ZAR. Account: Visa, Nedbank. Counterparty: Savings, Absa Bank. ` +
  `Type: paymentRT. Country: ZAF. Amount: ${amount}`;

Deno.test("the shipped model is there without a network, and whatever changes in an amount changes the vector", async () => {
  const embedder = await createEmbedder("weir");
  const texts = ["4603.17", "4603.18", "4617.03", "46.17", "17.46", "15.18", "18.15"].map((amount) => payment(amount));
  const { vectors, failures } = await embedder.embed(textBatch(texts));
  await embedder.close();
  assert.deepEqual(embedder.model.dimensions, 128);
  assert.ok(embedder.model.semantic);
  assert.deepEqual(failures, []);
  const found = texts.map((_, text) => vectors.subarray(text * 128, (text + 1) * 128).join());
  assert.equal(new Set(found).size, texts.length);
});

Deno.test("a payment of a cent more is nearer than one of another time of day", async () => {
  const embedder = await createEmbedder("weir");
  const { vectors } = await embedder.embed(
    textBatch([payment("4603.17"), payment("4603.18"), payment("4603.17", "Friday morning")]),
  );
  await embedder.close();
  const cosine = (other: number) => {
    let sum = 0;
    for (let index = 0; index < 128; index++) sum += vectors[index]! * vectors[other * 128 + index]!;
    return sum;
  };
  assert.ok(cosine(1) > cosine(2));
});
