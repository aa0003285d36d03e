import assert from "node:assert/strict";
import type { Dataset } from "../../dataset/dataset.ts";
import { accountHolders } from "./account_holders.ts";
import { paymentGenerators } from "./generators.ts";
import { accountHolderRow, paymentRows, type SourceRow } from "./rows.ts";
import { transactions } from "./transactions.ts";

const { holders, payments, pool } = await paymentGenerators({ seed: 1, clock: () => Date.UTC(2026, 0, 1) });
const holderRows = Array.from({ length: 50 }, (_, index) => {
  const holder = holders.holder(BigInt(index + 1));
  pool.offer(holder);
  return accountHolderRow(holder);
});
const legRows = Array.from({ length: 50 }, (_, index) => paymentRows(payments.payment(BigInt(2 * index + 1)))).flat();

const labels = (dataset: Dataset) =>
  dataset.columns.flatMap((column) => column.text ?? []).sort((a, b) => a.order - b.order).map((text) => text.label);

Deno.test("a generated row has the dataset's columns in their order, but for the default", () => {
  for (const [dataset, [row]] of [[accountHolders, holderRows], [transactions, legRows]] as const) {
    const names = dataset.columns.map((column) => column.name);
    assert.deepEqual(Object.keys(row as SourceRow), names.filter((name) => name !== "created_at"));
    assert.equal(names.at(-1), "created_at");
  }
});

Deno.test("no generated text is longer than its column", () => {
  for (const [dataset, rows] of [[accountHolders, holderRows], [transactions, legRows]] as const) {
    for (const column of dataset.columns) {
      const length = Number(/^varchar\((\d+)\)$/.exec(column.sourceType ?? "")?.[1] ?? Infinity);
      for (const row of rows) assert.ok(String(row[column.name] ?? "").length <= length, column.name);
    }
  }
});

Deno.test("every projection finds its value in a generated document", () => {
  for (const [dataset, rows] of [[accountHolders, holderRows], [transactions, legRows]] as const) {
    for (const { column, from, path } of dataset.projections ?? []) {
      const values = rows.map((row) => path.reduce((value, key) => value?.[key], JSON.parse(row[from] as string)));
      assert.ok(values.some((value) => value !== undefined), column.name);
    }
  }
});

Deno.test("the child table fills every column from its arrays", () => {
  const [child] = accountHolders.children ?? [];
  assert.ok(child);
  const filled = new Set(child.arrays.flatMap((array) => Object.keys(array.columns)));
  assert.deepEqual(child.columns.map((column) => column.name).filter((name) => !filled.has(name)), []);
  for (const array of child.arrays) {
    const documents = holderRows.map((row): Record<string, unknown> =>
      JSON.parse(row[child.from] as string)[array.path[0] as string][0]
    );
    for (const [name, where] of Object.entries(array.columns)) {
      assert.ok(child.columns.some((column) => column.name === name));
      if ("path" in where) {
        assert.ok(documents.every((document) => document[where.path[0] as string] !== undefined), name);
      }
    }
  }
});

Deno.test("lake column names are unique in each table", () => {
  for (const dataset of [accountHolders, transactions]) {
    const names = [...dataset.columns, ...(dataset.projections ?? []).map((p) => p.column)].map((c) => c.name);
    assert.equal(new Set(names).size, names.length);
  }
});

Deno.test("labels stand in the contract's order, and identifiers of people and events are not in the text", () => {
  assert.deepEqual(
    labels(accountHolders).join(", "),
    "First name, Last name, Date of birth, Gender, Children, Address, Accounts, Email, Mobile",
  );
  assert.equal(
    labels(transactions).join(", "),
    "Event time, Direction, Event type, Creation date, Account holder account, Counterparty account, Tenant ID, From ID, " +
      "Account agent ID, From FI branch ID, Account number, To ID, Account ID code, Counterparty agent ID, To FI branch ID, " +
      "Counterparty number, Counterparty ID code, Amount, Message type, Settlement clearing system code, " +
      "Payment clearing system reference, Request execution date, Settlement date, Destination country, Local instrument, " +
      "Message status, Payment method, Settlement method, Transaction type, Verification result, Number of transactions, " +
      "Schema version, User code",
  );
  const never = ["nationalid", "accountholdernationalid", "counterpartynationalid", "eventid", "transactionid", "_id"];
  for (const { columns } of [accountHolders, transactions]) {
    assert.deepEqual(columns.filter((column) => column.text && never.includes(column.name)), []);
  }
});
