/**
 * The embedding texts of fixed records, word for word: a change of template, label, order or rendering shows here and must
 * come with a new `textVersion`. `WEIR_GOLDEN_WRITE=1` writes the file anew.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { sourceTable } from "../../lib/dataset/dataset.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { paymentGenerators } from "../../lib/domain/payments/generators.ts";
import { accountHolderRow, paymentRows, type SourceRow } from "../../lib/domain/payments/rows.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { recordTextSql } from "../../lib/embed/record_text.ts";
import { datasetText, type TextForm } from "../../lib/embed/text_declaration.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { literal } from "../../lib/engine/quote.ts";
import { relationOf } from "../../lib/testing/relations.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { createFlatten } from "../../lib/transform/flatten.ts";

const file = fileURLToPath(new URL("./record_texts.json", import.meta.url));

interface Texts {
  readonly full: readonly string[];
  readonly compact: readonly string[];
}

async function textsOf(connection: Connection, dataset: Dataset, rows: readonly SourceRow[]): Promise<Texts> {
  const definition = sourceTable(dataset);
  const content = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? "NULL" : literal(String(value))]),
    )
  );
  const input = await relationOf(connection, { definition, rows: content });
  const flat = await createFlatten(dataset).apply(input, {
    connection,
    temporaryName: (purpose) => `${purpose}_${dataset.name}`,
    temporaryFile: (purpose) => assert.fail(`a file for ${purpose}`),
    currentRows: () => Promise.resolve(undefined),
    deadLetter: (letter) => assert.fail(letter.reason),
    signal: new AbortController().signal,
  });
  const { columns } = flat.definition;
  const texts = async (form: TextForm) => {
    const declaration = datasetText(dataset, form);
    assert.ok(declaration);
    const sql = recordTextSql(declaration, { columns, from: flat.name });
    return (await connection.rows(`FROM (${sql}) ORDER BY _ordinal`)).map((row) => String(row["text"]));
  };
  return { full: await texts("full"), compact: await texts("compact") };
}

Deno.test("the texts of fixed records are word for word what they were", async () => {
  const { holders, pool, payments } = await paymentGenerators({ seed: 7, clock: () => Date.UTC(2026, 0, 1) });
  const people = [1n, 2n, 3n].map((id) => holders.holder(id));
  for (const holder of people) pool.offer(holder);
  const legs = [1n, 3n].flatMap((id) => paymentRows(payments.payment(id)));
  const nobody = Object.fromEntries(accountHolders.columns.map(({ name }) => [name, null]));
  const nothing = Object.fromEntries(transactions.columns.map(({ name }) => [name, null]));
  await withDatabase(async ({ connection }) => {
    const found = {
      account_holders: await textsOf(connection, accountHolders, [...people.map(accountHolderRow), nobody]),
      transactions: await textsOf(connection, transactions, [...legs, nothing]),
    };
    if (Deno.env.get("WEIR_GOLDEN_WRITE") === "1") {
      await Deno.writeTextFile(file, `${JSON.stringify(found, null, 2)}\n`);
    }
    assert.deepEqual(found, JSON.parse(await Deno.readTextFile(file)));
  });
});

Deno.test("no identifier of a person, event or transaction is part of a text, and an empty record has a text", async () => {
  const golden = JSON.parse(await Deno.readTextFile(file));
  const { holders } = await paymentGenerators({ seed: 7, clock: () => Date.UTC(2026, 0, 1) });
  const ids = [1n, 2n, 3n].map((id) => String(accountHolderRow(holders.holder(id))["nationalid"]));
  for (const id of ids) assert.ok(!JSON.stringify(golden).includes(id));
  for (const form of ["full", "compact"]) {
    assert.equal(golden.account_holders[form].at(-1), "Unknown account holder profile");
    assert.equal(golden.transactions[form].at(-1), "Unknown transaction profile");
  }
});
