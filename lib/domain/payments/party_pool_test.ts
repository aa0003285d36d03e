import assert from "node:assert/strict";
import { Random } from "../random.ts";
import { chiSquareFit } from "../../testing/chi_square.ts";
import { PartyPool } from "./party_pool.ts";
import { paymentPickLists } from "./pick_lists.ts";

const lists = paymentPickLists();
const card = {
  cardNumber: "4111111111111111",
  cardType: "Visa",
  expDate: "01/30",
  issuingBank: "B",
  tenantId: "FIRNZAJJ",
};

Deno.test("a full pool stays full, and keeps early and late holders alike", () => {
  const pool = new PartyPool(lists, { random: new Random(1, "pool"), holdersMax: 500 });
  for (let i = 0; i < 10_000; i++) {
    pool.offer({ nationalId: String(i), accounts: { bankAccounts: [], creditCards: [card] } });
  }
  assert.equal(pool.size, 500);
  const random = new Random(1, "draw");
  const kept = new Set<string>();
  for (let i = 0; i < 20_000; i++) kept.add(pool.pair(random).payer.nationalId);
  const tenths = new Array(10).fill(0);
  for (const id of kept) tenths[Math.floor(Number(id) / 1000)]++;
  assert.equal(kept.size, 500);
  assert.ok(chiSquareFit(tenths, new Array(10).fill(1)).fits, tenths.join(" "));
});

Deno.test("a holder without account and card is passed over", () => {
  const pool = new PartyPool(lists, { random: new Random(1, "pool") });
  pool.offer({ nationalId: "1", accounts: { bankAccounts: [], creditCards: [] } });
  assert.equal(pool.size, 0);
});
