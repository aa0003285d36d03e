import assert from "node:assert/strict";
import { validate, version } from "uuid";
import { chiSquareFit, countValues } from "../../testing/chi_square.ts";
import { parseDay } from "./calendar.ts";
import { paymentGenerators } from "./generators.ts";
import { paymentPickLists } from "./pick_lists.ts";
import { paymentRows, type SourceRow } from "./rows.ts";

const today = parseDay("2026-07-01");
const clock = () => Date.UTC(2026, 6, 1, 12, 30, 15, 250);
const { holders, payments, pool } = await paymentGenerators({ seed: 21, clock });
for (let id = 1n; id <= 3000n; id++) pool.offer(holders.holder(id));
const pairs = Array.from({ length: 10_000 }, (_, index) => paymentRows(payments.payment(BigInt(2 * index + 1))));

/** Columns in which the two legs are each other's mirror image. */
const mirrored = [
  ["accountholdernationalid", "counterpartynationalid"],
  ["accountholderaccount", "counterpartyaccount"],
  ["accountagentid", "counterpartyagentid"],
  ["accountnumber", "counterpartynumber"],
  ["accountidcode", "counterpartyidcode"],
] as const;
const ownToTheLeg = new Set<string>([..."_id eventid direction tenantid".split(" "), ...mirrored.flat()]);

Deno.test("legs of 10,000 pairs share what both sides agree on, and mirror the rest", () => {
  for (const [outbound, inbound] of pairs) {
    for (const name of Object.keys(outbound)) {
      if (!ownToTheLeg.has(name)) assert.equal(outbound[name], inbound[name], name);
    }
    for (const [own, other] of mirrored) {
      assert.equal(outbound[own], inbound[other]);
      assert.equal(outbound[other], inbound[own]);
    }
    assert.deepEqual([outbound.direction, inbound.direction], ["outbound", "inbound"]);
    assert.equal(inbound._id, (outbound._id as bigint) + 1n);
    assert.notEqual(outbound.accountholdernationalid, outbound.counterpartynationalid, "payer and payee differ");
    assert.deepEqual([outbound.accountidcode, outbound.counterpartyidcode], ["RTC10", "RTC30"]);
  }
});

Deno.test("banks follow the leg's own holder, and from and to stay payer and payee", () => {
  for (const [outbound, inbound] of pairs) {
    for (const leg of [outbound, inbound]) {
      const own = JSON.parse(leg.accountholderaccount as string);
      assert.equal(leg.tenantid, own.tenantId);
      assert.equal(leg.accountagentid, own.tenantId);
      assert.equal(leg.fromid, outbound.tenantid);
      assert.equal(leg.toid, inbound.tenantid);
    }
  }
});

Deno.test("every branch lies inside a range of its bank, also a card's", () => {
  const members = paymentPickLists().member.entries.map((entry) => entry.value);
  const inside = (bank: unknown, branch: unknown) =>
    members.some((m) => m.tenantId === bank && m.branch_start <= String(branch) && String(branch) <= m.branch_end);
  for (const [leg] of pairs) {
    assert.ok(inside(leg.fromid, leg.fromfibranchid));
    assert.ok(inside(leg.toid, leg.tofibranchid));
  }
});

Deno.test("accounts and cards stand on either side, with the number that belongs to them", () => {
  const kinds = new Set<string>();
  for (const [leg] of pairs) {
    const sides = [["accountholderaccount", "accountnumber"], ["counterpartyaccount", "counterpartynumber"]] as const;
    kinds.add(
      sides.map(([json, number]) => {
        const instrument = JSON.parse(leg[json] as string);
        const full: string = instrument.cardNumber ?? instrument.accountId;
        assert.ok(full.endsWith(leg[number] as string) && (leg[number] as string).length <= 16);
        assert.ok((leg[number] as string).length >= 14);
        return instrument.cardNumber === undefined ? "account" : "card";
      }).join(" to "),
    );
  }
  assert.deepEqual([...kinds].sort(), ["account to account", "account to card", "card to account", "card to card"]);
});

Deno.test("value is base value times rate, rounded to cents, and amounts are in range", () => {
  for (const [leg] of pairs) {
    const match =
      /^\{"baseCurrency":"USD","baseValue":(\d+)\.(\d\d),"roe":18\.5,"currency":"ZAR","value":(\d+)\.(\d\d)\}$/
        .exec(leg.amount as string);
    assert.ok(match, String(leg.amount));
    const baseCents = BigInt(`${match[1]}${match[2]}`);
    // × 18.5 is × 37 ÷ 2; an odd product has half a cent, which goes up.
    assert.equal(BigInt(`${match[3]}${match[4]}`), (baseCents * 37n + 1n) / 2n);
    assert.ok(baseCents >= 1000n && baseCents <= 300_000n);
  }
});

Deno.test("ids are UUIDv7, unique, ascending, and only the transaction id is shared", () => {
  let last = "";
  for (const [outbound, inbound] of pairs) {
    for (const id of [outbound.transactionid, outbound.eventid, inbound.eventid] as string[]) {
      assert.ok(validate(id) && version(id) === 7 && id > last);
      last = id;
    }
  }
});

Deno.test("dates lie today to 3 and today to 7 days ahead, the settlement not before the execution", () => {
  const ahead = (leg: SourceRow, name: string) => parseDay(leg[name] as string) - today;
  const execution = countValues(pairs.map(([leg]) => ahead(leg, "requestexecutiondate")), [0, 1, 2, 3]);
  const settlement = countValues(pairs.map(([leg]) => ahead(leg, "settlementdate")), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(execution.every((count) => count > 0) && settlement.every((count) => count > 0));
  assert.ok(pairs.every(([leg]) => ahead(leg, "settlementdate") >= ahead(leg, "requestexecutiondate")));
  for (const [leg] of pairs) {
    assert.equal(leg.eventtime, "2026-07-01T12:30:15.250Z");
    assert.equal(leg.creationdate, "2026-07-01T12:30:15");
    assert.match(leg.paymentclearingsystemreference as string, /^\d{9}$/);
  }
});

Deno.test("weights hold: event type, message type, clearing system", () => {
  const counts = (name: string, values: readonly string[]) =>
    countValues(pairs.map(([leg]) => leg[name] as string), values);
  assert.ok(chiSquareFit(counts("eventtype", ["paymentRT", "paymentNRT"]), [4, 12]).fits);
  assert.ok(chiSquareFit(counts("msgtype", ["RTCCT", "RTCCR"]), [8, 5]).fits);
  assert.ok(chiSquareFit(counts("settlementclearingsystemcode", ["RTC", "EFT", "DC", "RPP"]), [4, 8, 5, 3]).fits);
  assert.ok(!chiSquareFit(counts("msgtype", ["RTCCT", "RTCCR"]), [7, 6]).fits, "the test can tell other weights");
});

Deno.test("a pool of one holder makes no payment to itself", async () => {
  const { holders, payments, pool } = await paymentGenerators({ seed: 1, clock });
  assert.throws(() => payments.payment(1n), RangeError);
  pool.offer(holders.holder(1n));
  assert.throws(() => payments.payment(1n), RangeError);
});
