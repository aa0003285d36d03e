import assert from "node:assert/strict";
import { durationMs, propertyNames } from "./properties.ts";

const at = (text: string) =>
  durationMs({
    id: "",
    format: { provider: "parquet" },
    schemaString: "",
    partitionColumns: [],
    configuration: {
      [propertyNames.fileRetention]: text,
    },
  }, "fileRetention");

Deno.test("durations are read as Delta writes them; what cannot be read keeps files for the default of seven days", () => {
  const day = 86_400_000;
  assert.equal(at("interval 7 days"), 7 * day);
  assert.equal(at("INTERVAL 1 WEEK"), 7 * day);
  assert.equal(at("interval 1 day 12 hours"), 1.5 * day);
  assert.equal(at("interval 0 seconds"), 0);
  for (const text of ["", "interval", "interval 3 fortnights", "0", "interval -1 days"]) {
    assert.equal(at(text), 7 * day, text);
  }
});
