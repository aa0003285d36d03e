import assert from "node:assert/strict";
import { paymentPickLists } from "./pick_lists.ts";

Deno.test("the committed lists hold the contract's members, with their ranges and weights", () => {
  const { member } = paymentPickLists();
  const ranges = member.entries.map(({ value, weight }) =>
    `${value.tenantId} ${value.memberNo} ${value.branch_start}-${value.branch_end} ${weight}`
  );
  assert.equal(ranges.length, 18);
  assert.ok(ranges.includes("SBZAZAJJ 210001 000000-060066 7"));
  assert.ok(ranges.includes("CABL_CPB 210009 450000-459999 6"));
  const sponsored = member.entries.filter(({ value }) => value.sponsored_by !== "");
  assert.deepEqual(sponsored.map(({ value }) => [value.sponsored_by, value.bicFi]), [["210010", ""]]);
});

Deno.test("a given list takes the place of ours, and others stay", () => {
  const lists = paymentPickLists({ accountType: { Savings: 1 } });
  assert.deepEqual(lists.accountType.entries, [{ value: "Savings", weight: 1 }]);
  assert.equal(lists.eventType.entries.length, 2);
});

Deno.test("a misshapen list is refused with its name", () => {
  assert.throws(() => paymentPickLists({ gender: { X: 1 } }), /list gender/);
  assert.throws(() => paymentPickLists({ member: [{ value: { memberName: "A" }, weight: 1 }] }), /list member/);
  assert.throws(() => paymentPickLists({ cardType: { Maestro: 1 } }), /Maestro/);
  assert.throws(() => paymentPickLists({ messageType: [] }), RangeError);
});
