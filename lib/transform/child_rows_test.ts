import assert from "node:assert/strict";
import type { LetterDraft } from "../change/dead_letter.ts";
import type { Column } from "../dataset/column.ts";
import { type ColumnType, types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { ChildTable } from "../dataset/projection.ts";
import { literal } from "../engine/quote.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changeRelation, transformFixture } from "../testing/transform_context.ts";
import { createChildRows } from "./child_rows.ts";

const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true });

const parent: TableDefinition = {
  namespace: "bank",
  name: "holders",
  columns: [{ ...column("id", types.int64), nullable: false }, column("accounts", types.string)],
  key: ["id"],
};

const accounts: ChildTable = {
  name: "accounts",
  from: "accounts",
  arrays: [
    {
      path: ["bankAccounts"],
      columns: {
        kind: { constant: "bank" },
        number: { path: ["accountId"] },
        opened: { path: ["openingDate"] },
        balance: { path: ["balance"] },
      },
    },
    { path: ["cards", "credit"], columns: { kind: { constant: "card" }, number: { path: ["cardNumber"] } } },
  ],
  columns: [
    column("kind", types.string),
    column("number", types.string),
    column("opened", types.date),
    column("balance", types.decimal(20, 2)),
  ],
};

interface Parent {
  readonly accounts: string | null;
  readonly deleted?: boolean;
  readonly replaces?: boolean;
}

interface Children {
  readonly rows: readonly string[];
  readonly letters: readonly LetterDraft[];
}

function childrenOf(...parents: readonly Parent[]): Promise<Children> {
  return withDatabase(async ({ connection }) => {
    const values = parents.map(({ accounts, deleted, replaces }, index) =>
      `(${index + 100}::BIGINT, ${accounts === null ? "NULL" : literal(accounts)}::VARCHAR, ${index}::BIGINT,
        ${deleted ?? false}, ${replaces ?? false})`
    );
    const input = await changeRelation(connection, {
      definition: parent,
      select: `SELECT * FROM (VALUES ${values.join(", ")}) AS t(id, accounts, _ordinal, _delete, _replaces)`,
    });
    const { context, letters } = transformFixture(connection);
    const output = await createChildRows(accounts).apply(input, context);
    const found = await connection.rows(`SELECT concat_ws('|', id, ordinal, coalesce(kind, '-'), coalesce(number, '-'),
      coalesce(opened::VARCHAR, '-'), coalesce(balance::VARCHAR, '-'), _replaces, _delete) AS line
      FROM ${output.name} ORDER BY id, ordinal`);
    assert.equal(output.rows, found.length);
    return { rows: found.map((row) => String(row["line"])), letters };
  });
}

Deno.test("ordinals count through the arrays in their order", async () => {
  const { rows, letters } = await childrenOf(
    {
      accounts: `{"cards": {"credit": [{"cardNumber": "4111"}]},
        "bankAccounts": [{"accountId": "a", "openingDate": "2020-01-02", "balance": 12345678901234567.89}, {"accountId": "b"}]}`,
    },
    { accounts: '{"cards": {"credit": [{"cardNumber": 1.50}, {}]}}', replaces: true },
  );
  assert.deepEqual(rows, [
    "100|0|bank|a|2020-01-02|12345678901234567.89|false|false",
    "100|1|bank|b|-|-|false|false",
    "100|2|card|4111|-|-|false|false",
    "101|0|card|1.50|-|-|true|false",
    "101|1|card|-|-|-|true|false",
  ]);
  assert.deepEqual(letters, []);
});

Deno.test("a parent that leaves, or has nothing, has no children", async () => {
  const { rows, letters } = await childrenOf(
    { accounts: '{"bankAccounts": [{"accountId": "a"}]}', deleted: true },
    { accounts: null },
    { accounts: "{}" },
    { accounts: '{"bankAccounts": null, "cards": {"credit": []}}' },
  );
  assert.deepEqual({ rows, letters }, { rows: [], letters: [] });
});

Deno.test("a document or array that cannot be read costs its parent's rows, one letter a parent", async () => {
  const { rows, letters } = await childrenOf(
    { accounts: '{"bankAccounts": [' },
    { accounts: '{"bankAccounts": {"accountId": "a"}, "cards": []}' },
    { accounts: '{"bankAccounts": "none", "cards": {"credit": [{"cardNumber": "1"}]}}' },
  );
  assert.deepEqual(rows, ["102|0|card|1|-|-|false|false"]);
  assert.deepEqual(letters.map(({ ordinal, key }) => [ordinal, key]), [[0n, '{"id":100}'], [1n, '{"id":101}'], [
    2n,
    '{"id":102}',
  ]]);
  assert.equal(letters[0]?.reason, "malformed JSON");
  assert.match(letters[1]!.reason, /"bankAccounts": expected array, found object/);
  assert.match(letters[1]!.reason, /"cards": expected object, found array/);
});

Deno.test("a value that cannot be read is NULL; the letter names the element", async () => {
  const { rows, letters } = await childrenOf({
    accounts:
      `{"bankAccounts": [{"accountId": {"a": 1}}, {"accountId": "b", "openingDate": "soon", "balance": 1.239}, "c", {}]}`,
  });
  assert.deepEqual(rows, [
    "100|0|bank|-|-|-|false|false",
    "100|1|bank|b|-|-|false|false",
    "100|2|bank|-|-|-|false|false",
    "100|3|bank|-|-|-|false|false",
  ]);
  assert.deepEqual(letters.map(({ element, column, reason }) => `${element} ${column} ${reason}`), [
    '0 number $."accountId": expected scalar, found object',
    '1 balance $."balance": not held exactly by DECIMAL(20,2)',
    '1 opened $."openingDate": not held exactly by DATE',
    "2 balance $: expected object, found string",
    "2 number $: expected object, found string",
    "2 opened $: expected object, found string",
  ]);
  assert.equal(letters[1]?.key, '{"id":100,"ordinal":1}');
});

Deno.test("the child is keyed by its parent's key and ordinal, and stands beside its siblings", () => {
  const definition = createChildRows(accounts).define(parent);
  assert.deepEqual(definition.key, ["id", "ordinal"]);
  assert.deepEqual(definition.colocation, ["id"]);
  assert.deepEqual(definition.columns.map(({ name, nullable }) => [name, nullable]), [
    ["id", false],
    ["ordinal", false],
    ["kind", true],
    ["number", true],
    ["opened", true],
    ["balance", true],
  ]);
  assert.throws(
    () => createChildRows({ ...accounts, columns: [column("id", types.string)] }).define(parent),
    TypeError,
  );
});

Deno.test("children whose JSON column left the source are none", () =>
  withDatabase(async ({ connection }) => {
    const definition = { ...parent, columns: parent.columns.slice(0, 1) };
    const input = await changeRelation(connection, { definition, select: "SELECT 1::BIGINT AS id" });
    const output = await createChildRows(accounts).apply(input, transformFixture(connection).context);
    assert.equal(output.rows, 0);
    assert.equal((await connection.rows(`DESCRIBE ${output.name}`)).length, 3 + output.definition.columns.length);
  }));
