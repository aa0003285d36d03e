import assert from "node:assert/strict";
import { maxCachedBytes, type Segment, SegmentCache } from "./segment_cache.ts";

/** A segment with a hash of one's choice. */
function segmentOf(text: string, hash: number): Segment {
  const bytes = new TextEncoder().encode(`<${text}>`);
  return { bytes, from: 1, to: bytes.length - 1, hash };
}

Deno.test("what comes a second time is let in, and what pushes it out comes twice as well", () => {
  const cache = new SegmentCache(4);
  const [often, once] = [segmentOf("Gender: F. ", 5), segmentOf("Account: 17. ", 9)];
  const slot = cache.slotOf(often);
  assert.equal(cache.slotOf(once), slot, "they share a place");
  assert.equal(cache.holds(slot, often), false);
  assert.equal(cache.admits(slot, often), false);
  assert.equal(cache.admits(slot, often), true);
  cache.admit(slot, often);
  assert.equal(cache.holds(slot, often), true);
  assert.equal(cache.admits(slot, once), false);
  assert.equal(cache.holds(slot, often), true);
  assert.equal(cache.admits(slot, once), true);
  cache.admit(slot, once);
  assert.equal(cache.holds(slot, often), false);
  assert.equal(cache.holds(slot, once), true);
});

Deno.test("a segment is known by its bytes, not by its hash", () => {
  const cache = new SegmentCache(4);
  const slot = cache.slotOf(segmentOf("Gender: F. ", 5));
  cache.admit(slot, segmentOf("Gender: F. ", 5));
  assert.equal(cache.holds(slot, segmentOf("Gender: M. ", 5)), false);
  assert.equal(cache.holds(slot, segmentOf("Gender: F.", 5)), false);
  assert.equal(cache.holds(slot, segmentOf("Gender: F. ", 6)), false);
});

Deno.test("a segment as long as any is kept whole, beside its neighbour's place", () => {
  const cache = new SegmentCache(2);
  const [left, right] = [segmentOf("a".repeat(maxCachedBytes), 0), segmentOf("b".repeat(maxCachedBytes), 1)];
  for (const segment of [left, right]) cache.admit(cache.slotOf(segment), segment);
  for (const segment of [left, right]) assert.equal(cache.holds(cache.slotOf(segment), segment), true);
});
