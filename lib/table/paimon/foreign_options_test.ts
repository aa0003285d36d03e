import assert from "node:assert/strict";
import { WeirError } from "../../errors.ts";
import { orderRows } from "../../testing/paimon_churn.ts";
import { applyStep, orders, paimonChange, rowsOf, withPaimonLake } from "../../testing/paimon_lake.ts";
import { encodeSchema, firstSchema } from "./schema.ts";

const refused = (kind: string, option: string) => (thrown: unknown) =>
  thrown instanceof WeirError && thrown.kind === kind && thrown.message.includes(option);

Deno.test("a table that others made to be merged in another way is refused, and one with other buckets is not written", async () => {
  await withPaimonLake(async (lake) => {
    const made = async (name: string, options: Readonly<Record<string, string>>, key = orders.key) => {
      const schema = firstSchema({ ...orders, key }, { buckets: 2, timeMillis: 0 });
      const path = `paimon/shop.db/${name}/schema/schema-0`;
      await lake.storage.put(path, encodeSchema({ ...schema, options: { ...schema.options, ...options } }));
      return lake.open({ name });
    };
    for (
      const option of ["merge-engine = partial-update", "sequence.field = amount", "deletion-vectors.enabled = true"]
    ) {
      const [name = "", value = ""] = option.split(" = ");
      const table = await made(name, { [name]: value });
      await assert.rejects(() => table.load(), refused("tableUnreadable", option));
    }
    const step = { upserts: orderRows("0, 5", "n") };
    for (
      const [name, option, value, key] of [
        ["dynamic", "bucket", "-1", orders.key],
        ["bucketed", "bucket", "4", []],
        ["marked", "deletion-vectors.enabled", "true", []],
        ["numbered", "row-tracking.enabled", "true", []],
      ] as const
    ) {
      const table = await made(name, { [option]: value }, [...key]);
      const state = (await table.load())!;
      const change = await paimonChange(lake.connection, { ...step, definition: { ...orders, name, key } });
      await assert.rejects(() => table.prepare(state, change), refused("precondition", `${option} = ${value}`));
    }
    const usual = await made("usual", { "merge-engine": "deduplicate" });
    await applyStep(lake, usual, { ...step, definition: { ...orders, name: "usual" } });
    assert.equal((await rowsOf(lake, usual)).length, 5);
  });
});
