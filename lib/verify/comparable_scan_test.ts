import assert from "node:assert/strict";
import { types } from "../dataset/column_type.ts";
import { withDatabase } from "../testing/temporary.ts";
import { comparableScan } from "./comparable_scan.ts";

const id = { name: "id", type: types.int32, nullable: false };
const renamed = { name: "renamed", type: types.string, nullable: true };
const scan = "SELECT 1::INTEGER AS id, 'a' AS n";

Deno.test("a column that the lake does not have yet is none in every row, unless it may be one that the lake has", async () => {
  await withDatabase(async ({ connection }) => {
    const compared = [id, renamed];
    const definition = { namespace: "s", name: "t", columns: compared, key: ["id"] };
    await assert.rejects(comparableScan({ definition, scan, connection }, compared), {
      kind: "unsupportedSchemaChange",
      message: /Cannot compare s\.t: the source now has renamed and no longer n/,
    });
    const known = { ...definition, columns: [...compared, { ...renamed, name: "n" }] };
    const comparable = await comparableScan({ definition: known, scan, connection }, compared);
    assert.deepEqual(await connection.rows(comparable ?? ""), [{ id: 1, n: "a", renamed: null }]);
    assert.equal(await comparableScan({ definition, scan, connection }, [id]), scan);
  });
});
