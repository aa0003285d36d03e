import assert from "node:assert/strict";
import { types } from "../dataset/column_type.ts";
import { narrowest, type Relation } from "./relation.ts";

function relation(names: readonly string[], narrower?: Relation): Relation {
  const columns = names.map((name) => ({ name, type: types.string, nullable: true }));
  const definition = { namespace: "tests", name: "rows", columns, key: [] };
  return { name: names.join("_"), definition, rows: 1, ...(narrower === undefined ? {} : { narrower }) };
}

Deno.test("a question goes to the narrowest relation that has its columns, and to the widest where one is missing", () => {
  const source = relation(["id"]);
  const flattened = relation(["id", "country"], source);
  const embedded = relation(["id", "country", "vector"], flattened);
  const asked = [[], ["id"], ["country", "id"], ["vector"], ["vector", "id"], ["nowhere"]];
  assert.deepEqual(
    asked.map((names) => narrowest(embedded, names)),
    [source, source, flattened, embedded, embedded, embedded],
  );
});
