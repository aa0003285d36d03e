import assert from "node:assert/strict";
import { paymentSettings } from "./settings.ts";

Deno.test("an empty environment gives the contract's defaults", () => {
  const settings = paymentSettings();
  assert.equal(settings.accountsPerHolderMax, 6);
  assert.equal(settings.cardsPerHolderMax, 2);
  assert.equal(settings.countryCode, "ZA");
  assert.equal(settings.destinationCountry, "ZAF");
  assert.deepEqual([settings.baseCurrency, settings.currency], ["USD", "ZAR"]);
  assert.equal(settings.rateMillionths, 18_500_000n);
  assert.deepEqual([settings.amountLowCents, settings.amountHighCents], [1000n, 300_000n]);
});

Deno.test("a value out of its range is refused and named", () => {
  const refused: Readonly<Record<string, string>> = {
    NUM_ACCOUNTS: "0",
    NUM_CREDCARDS: "1.5",
    COUNTRY_CODE: "XX",
    LANG_CODE: "english",
    DEST_COUNTRY: "ZA",
    BASECURRENCY: "usd",
    ROE: "0",
    TXN_AMNT_LOW: "9999",
    TXN_AMNT_HIGH: "12.345",
    AGE_LOW: "15.9",
    AGE_HIGH: "17",
  };
  for (const [name, value] of Object.entries(refused)) {
    assert.throws(() => paymentSettings({ [name]: value }), { name: "RangeError", message: new RegExp(name) }, name);
  }
});
