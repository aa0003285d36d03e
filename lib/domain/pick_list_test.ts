import assert from "node:assert/strict";
import { chiSquareFit, countValues } from "../testing/chi_square.ts";
import { parsePickEntries, PickList } from "./pick_list.ts";
import { Random } from "./random.ts";

Deno.test("values come as often as their weights say", () => {
  const list = new PickList([{ value: "a", weight: 1 }, { value: "b", weight: 2.5 }, { value: "c", weight: 96.5 }]);
  const random = new Random(1, "pick");
  const counts = countValues(Array.from({ length: 20_000 }, () => list.pick(random)), ["a", "b", "c"]);
  assert.ok(chiSquareFit(counts, [1, 2.5, 96.5]).fits);
  assert.ok(!chiSquareFit(counts, [1, 5, 94]).fits, "the test can tell other weights");
});

Deno.test("a filtered list keeps the weights and may be empty", () => {
  const list = new PickList([{ value: 1, weight: 3 }, { value: 2, weight: 4 }]);
  assert.deepEqual(list.filter((value) => value > 1)?.entries, [{ value: 2, weight: 4 }]);
  assert.equal(list.filter((value) => value > 2), undefined);
});

Deno.test("all three text forms are read", () => {
  const expected = [{ value: "Savings", weight: 3 }, { value: "Cheque", weight: 6 }];
  assert.deepEqual(parsePickEntries(" Savings : 3 , Cheque:6 "), expected);
  assert.deepEqual(parsePickEntries('{"Savings": 3, "Cheque": 6}'), expected);
  assert.deepEqual(parsePickEntries(JSON.stringify(expected)), expected);
});

Deno.test("what is not a list is refused", () => {
  for (const text of ["", "a:1:2", "a:", ",", "{", "[1]", '[{"value": 1}]', '{"a": "b"}', "[null]"]) {
    assert.throws(() => new PickList(parsePickEntries(text)), RangeError, text);
  }
  for (const weight of [0, -1, NaN, Infinity]) {
    assert.throws(() => new PickList([{ value: "a", weight }]), RangeError);
  }
  assert.throws(() => parsePickEntries("a:1,b:x"), /^RangeError: Cannot read the weight of value 2: expected a number/);
});
