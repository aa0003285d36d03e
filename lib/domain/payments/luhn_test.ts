import assert from "node:assert/strict";
import { isLuhnValid } from "./luhn.ts";

Deno.test("numbers that the schemes publish for tests are valid", () => {
  for (const number of ["4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "79927398713"]) {
    assert.ok(isLuhnValid(number), number);
  }
});

Deno.test("a changed digit and two swapped digits are found", () => {
  const number = "4539578763621486";
  assert.ok(isLuhnValid(number));
  for (let i = 0; i < number.length; i++) {
    const changed = number.slice(0, i) + (Number(number[i]) + 1) % 10 + number.slice(i + 1);
    assert.ok(!isLuhnValid(changed), changed);
  }
  assert.ok(!isLuhnValid("5439578763621486"));
});

Deno.test("what is not a number is invalid", () => {
  for (const text of ["", "0", "4111-1111", "411111111111111x"]) assert.ok(!isLuhnValid(text), text);
});
