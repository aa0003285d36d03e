import assert from "node:assert/strict";
import { parseJson } from "../lossless_json.ts";
import { formatMetadata, parseMetadata, type Snapshot } from "./metadata.ts";
import { newTable } from "./new_table.ts";

const empty = newTable({ namespace: "n", name: "t", key: [], columns: [] }, {
  formatVersion: 3,
  location: "file:///t",
});

function snapshot(index: number): Snapshot {
  return {
    "snapshot-id": 3051729675574597004n + BigInt(index),
    "sequence-number": BigInt(index),
    "timestamp-ms": 1_700_000_000_000 + index,
    "manifest-list": `file:///t/metadata/snap-${index}-1-6b1f0c1e-5d0f-4d0e-9b0a-0d8b5a1f7c11.avro`,
    summary: Object.fromEntries(Array.from({ length: 15 }, (_, each) => [`added-something-${each}`, String(index)])),
  };
}

Deno.test("metadata is written as it is read, with every digit of every id", () => {
  const metadata = {
    ...empty,
    "current-snapshot-id": snapshot(2)["snapshot-id"],
    refs: { main: { type: "branch" as const, "snapshot-id": snapshot(2)["snapshot-id"] } },
    statistics: [],
    "partition-statistics": [],
    snapshots: [snapshot(1), snapshot(2)],
    "snapshot-log": [{ "timestamp-ms": 5, "snapshot-id": snapshot(2)["snapshot-id"] }],
  };
  assert.deepEqual(parseMetadata(formatMetadata(metadata), "v1"), metadata);
  assert.ok(parseJson(formatMetadata(empty)));
});

Deno.test("writing a long history again costs a fraction of writing it first", () => {
  const history = Array.from({ length: 3000 }, (_, index) => snapshot(index));
  const timeOf = (entries: readonly Snapshot[]) => {
    const startedMs = performance.now();
    formatMetadata({ ...empty, snapshots: entries });
    return performance.now() - startedMs;
  };
  const firstMs = timeOf(history);
  const againMs = Math.min(...Array.from({ length: 5 }, () => timeOf([...history, snapshot(5000)])));
  assert.ok(againMs < firstMs / 3, `${againMs} ms after ${firstMs} ms`);
});
