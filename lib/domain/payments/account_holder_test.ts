import assert from "node:assert/strict";
import { chiSquareFit, countValues } from "../../testing/chi_square.ts";
import type { AccountHolder } from "./account_holder.ts";
import { parseDay } from "./calendar.ts";
import { countryCodes } from "./countries.ts";
import { paymentGenerators } from "./generators.ts";
import { isLuhnValid } from "./luhn.ts";
import { paymentPickLists } from "./pick_lists.ts";
import { paymentSettings } from "./settings.ts";

const clock = () => Date.UTC(2026, 6, 1, 12);
const today = parseDay("2026-07-01");
const lists = paymentPickLists();
const { holders: generator } = await paymentGenerators({ seed: 11, clock });
const holders: readonly AccountHolder[] = Array.from(
  { length: 10_000 },
  (_, index) => generator.holder(BigInt(index + 1)),
);
const bankAccounts = holders.flatMap((holder) => holder.accounts.bankAccounts);
const creditCards = holders.flatMap((holder) => holder.accounts.creditCards);

Deno.test("holders are as old as the contract says, and accounts no older than their holder's 16th birthday", () => {
  for (const holder of holders) {
    const ageYears = (today - parseDay(holder.birthDate)) / 365.25;
    assert.ok(ageYears >= 17.4 && ageYears <= 67.8, holder.birthDate);
    for (const { openingDate } of holder.accounts.bankAccounts) {
      const opened = parseDay(openingDate);
      assert.ok(opened <= today && opened >= parseDay(holder.birthDate) + 16 * 365.25);
    }
  }
});

Deno.test("numbers of children, accounts and cards stay in their ranges and use them up", () => {
  const seen = (numbers: readonly number[]) => [...new Set(numbers)].sort((a, b) => a - b);
  assert.deepEqual(seen(holders.map((holder) => holder.children)), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(seen(holders.map((holder) => holder.accounts.bankAccounts.length)), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(seen(holders.map((holder) => holder.accounts.creditCards.length)), [1, 2]);
});

Deno.test("a branch lies inside a range of its member, and account ids have one of the two forms", () => {
  for (const account of bankAccounts) {
    const members = lists.member.entries.map((entry) => entry.value).filter((m) => m.tenantId === account.tenantId);
    assert.ok(members.some((m) => m.branch_start <= account.branchId && account.branchId <= m.branch_end));
    assert.ok(members.some((m) => m.memberName === account.entityId));
    const withBic = new RegExp(`^${members[0]?.bicFi || "none"}-\\d{16}$`);
    assert.ok(/^\d{4}-\d{10}$/.test(account.accountId) || withBic.test(account.accountId), account.accountId);
    assert.equal(account.idCode, "RTC10");
  }
  const forms = countValues(bankAccounts.map((account) => /^\d{4}-/.test(account.accountId)), [true, false]);
  assert.ok(forms.every((count) => count > 1000), "both forms are made");
  const sponsored = bankAccounts.filter((account) => account.tenantId === "CABL_CPB");
  assert.ok(sponsored.length > 100 && sponsored.every((account) => /^\d{4}-/.test(account.accountId)));
});

Deno.test("card numbers are Luhn-valid, with prefix and length of their type, and expire in time", () => {
  for (const card of creditCards) {
    assert.ok(isLuhnValid(card.cardNumber));
    assert.ok(
      lists.cardBin.entries.some(({ value: bin }) =>
        bin.cardType === card.cardType && card.cardNumber.startsWith(bin.prefix) &&
        card.cardNumber.length === bin.length
      ),
    );
    const [month = "", year = ""] = card.expDate.split("/");
    const months = (2000 + Number(year)) * 12 + Number(month) - (2026 * 12 + 7);
    assert.ok(months >= 0 && months <= 35, card.expDate);
  }
});

Deno.test("weights hold: gender, account type, card type, member, town", () => {
  const genders = countValues(holders.map((holder) => holder.gender), ["M", "F"]);
  assert.ok(chiSquareFit(genders, [48, 52]).fits);
  const accountTypes = countValues(
    bankAccounts.map((account) => account.accountType),
    ["Savings", "Transaction", "Cheque", "Overdraft"],
  );
  assert.ok(chiSquareFit(accountTypes, [3, 8, 6, 5]).fits);
  const cardTypes = countValues(
    creditCards.map((card) => card.cardType),
    ["MasterCard", "Visa", "AmericanExpress", "DinersClub"],
  );
  assert.ok(chiSquareFit(cardTypes, [3, 7, 2, 1]).fits);
  assert.ok(!chiSquareFit(cardTypes, [3, 7, 1, 2]).fits, "the test can tell other weights");
  const members = Map.groupBy(lists.member.entries, (entry) => entry.value.tenantId);
  const drawn = countValues(bankAccounts.map((account) => account.tenantId), [...members.keys()]);
  assert.ok(chiSquareFit(drawn, [...members.values()].map((all) => all.reduce((sum, m) => sum + m.weight, 0))).fits);
  const places = lists.place.entries.filter((entry) => entry.value.countryCode === "ZA");
  const towns = countValues(holders.map((holder) => holder.address.town), places.map((entry) => entry.value.town));
  assert.ok(chiSquareFit(towns, places.map((entry) => entry.weight)).fits);
});

Deno.test("first names go with the gender", () => {
  const names = (gender: "M" | "F") =>
    new Set(holders.filter((holder) => holder.gender === gender).map((holder) => holder.firstName));
  const both = [...names("M")].filter((name) => names("F").has(name));
  assert.ok(both.length < names("M").size / 2, `${both.length} of ${names("M").size} names are given to both`);
});

Deno.test("texts fit their columns, and mail goes nowhere", () => {
  for (const holder of holders) {
    assert.ok(holder.nationalId.length <= 16 && holder.mobilePhoneNumber.length <= 20);
    assert.ok(holder.emailAddress.length <= 100);
    assert.match(holder.emailAddress, /^[a-z0-9]+\.[a-z0-9]+\d*@example\.(com|net|org)$/);
    assert.deepEqual(Object.keys(holder.address), [
      "streetAddress",
      "suburb",
      "town",
      "province",
      "country",
      "postalCode",
    ]);
    assert.ok(Object.values(holder.address).every((part) => part !== "" && !/[#?]/.test(part)));
  }
});

for (const countryCode of countryCodes) {
  Deno.test(`addresses of ${countryCode} lie in a town of that country, in its province`, async () => {
    const settings = paymentSettings({ COUNTRY_CODE: countryCode });
    const { holders } = await paymentGenerators({ seed: 3, clock, settings });
    for (let id = 1n; id <= 200n; id++) {
      const { address } = holders.holder(id);
      const place = lists.place.entries.find((entry) => entry.value.town === address.town)?.value;
      assert.equal(place?.countryCode, countryCode);
      assert.equal(place?.province, address.province);
      const shape = (place?.postalCode ?? "").replaceAll("#", "\\d").replaceAll("?", "[A-Z]");
      assert.match(address.postalCode, new RegExp(`^${shape}$`));
    }
  });
}
