import assert from "node:assert/strict";
import { notebookTest } from "./executed_notebook.ts";

await notebookTest("01_generated_data", (shown) => {
  const tables = shown.rows("lake").map(({ table }) => table);
  assert.deepEqual(tables, ["payments.account_holders", "payments.accounts", "payments.transactions"]);

  const holders = shown.rows("holders");
  assert.equal(holders.length, 4);
  for (const { accounts, cards } of holders) assert.ok(Number(accounts) + Number(cards) >= 1);
  assert.match(String(shown.rows("accounts")[0]?.kind), /^(bank_account|credit_card)$/);

  for (const chart of ["ages", "towns", "amounts", "hours"]) assert.ok(shown.marks(chart, "rect") >= 10, chart);
  assert.equal(shown.marks("hours", "rect"), 24);
  assert.ok(shown.marks("times", "path") >= 1);
  assert.ok(shown.marks("banks", "rect") > 200);

  for (const { to_the_cent } of shown.rows("amount-of-payment")) assert.equal(to_the_cent, true);
  const [payer, payee] = shown.rows("legs");
  assert.deepEqual([payer?.direction, payee?.direction], ["outbound", "inbound"]);
  assert.equal(payer?.accountnumber, payee?.counterpartynumber);
  assert.deepEqual(shown.rows("mirrored"), [{ pairs: 10_000, same_payment: 10_000, mirrored: 10_000 }]);

  const counts = (id: string) =>
    Object.fromEntries(shown.rows(id).map(({ event_type: type, payments }) => [type, Number(payments)]));
  const { paymentNRT = 0, paymentRT = 0 } = counts("generator");
  assert.equal(paymentNRT + paymentRT, 2000);
  const own = counts("own");
  assert.deepEqual(Object.keys(own), ["batch", "instant"]);
  assert.ok(own.instant! > 2.5 * own.batch! && own.instant! < 3.5 * own.batch!);
});
