import assert from "node:assert/strict";
import { validate, version } from "uuid";
import { Random } from "./random.ts";
import { UuidV7Sequence } from "./uuid_v7.ts";

Deno.test("ids are version 7 and carry their millisecond", () => {
  const random = new Random(1, "uuid");
  const timeMs = Date.UTC(2026, 4, 3, 2, 1, 0, 123);
  const id = new UuidV7Sequence().next(random, timeMs);
  assert.ok(validate(id));
  assert.equal(version(id), 7);
  assert.equal(parseInt(id.replace("-", "").slice(0, 12), 16), timeMs);
});

Deno.test("ids ascend while the clock stands still, and when it steps back", () => {
  const random = new Random(1, "uuid");
  const ids = new UuidV7Sequence();
  let last = "";
  for (let i = 0; i < 50_000; i++) {
    const id = ids.next(random.seek(i), i % 1000 === 999 ? 5 : 1_000_000 + Math.floor(i / 10_000));
    assert.ok(id > last);
    last = id;
  }
  assert.ok(validate(last));
});

Deno.test("a time that does not fit is refused", () => {
  const ids = new UuidV7Sequence();
  assert.throws(() => ids.next(new Random(1, "uuid"), -1), RangeError);
  assert.throws(() => ids.next(new Random(1, "uuid"), 2 ** 48), RangeError);
  assert.throws(() => ids.next(new Random(1, "uuid"), NaN), RangeError);
});
