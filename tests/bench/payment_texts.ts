/** Texts of generated payments for the measurements of models. */
import { sourceTable } from "../../lib/dataset/dataset.ts";
import { paymentGenerators } from "../../lib/domain/payments/generators.ts";
import { paymentRows } from "../../lib/domain/payments/rows.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { recordTextSql } from "../../lib/embed/record_text.ts";
import { datasetText, type TextDeclaration } from "../../lib/embed/text_declaration.ts";
import { literal } from "../../lib/engine/quote.ts";
import { relationOf } from "../../lib/testing/relations.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { createFlatten } from "../../lib/transform/flatten.ts";

/** Of the same payments, one text a row. */
export interface PaymentTexts {
  /** All fields of the contract: some 330 tokens, more than most models read. */
  readonly full: readonly string[];
  /** What a person would say of a payment: some 40 tokens. */
  readonly short: readonly string[];
}

const shortLabels = new Set(["Direction", "Event type", "Amount", "Message status", "Payment method"]);

/** Texts of both legs of payments out of the generator, the same for every seed. */
export async function paymentTexts(rows: number, seed = 1): Promise<PaymentTexts> {
  const { holders, pool, payments } = await paymentGenerators({ seed, clock: () => Date.UTC(2026, 0, 1) });
  for (let id = 1n; id <= 200n; id++) pool.offer(holders.holder(id));
  const made = Array.from({ length: Math.ceil(rows / 2) }, (_, id) => paymentRows(payments.payment(BigInt(id) + 1n)));
  const content = made.flat().slice(0, rows).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? "NULL" : literal(String(value))]),
    )
  );
  const full = datasetText(transactions)!;
  const short = { ...full, parts: full.parts.filter(({ label }) => shortLabels.has(label)) };
  return await withDatabase(async ({ connection }) => {
    const input = await relationOf(connection, { definition: sourceTable(transactions), rows: content });
    const flat = await createFlatten(transactions).apply(input, {
      connection,
      temporaryName: (purpose) => `${purpose}_transactions`,
      currentRows: () => Promise.resolve(undefined),
      deadLetter: ({ reason }) => {
        throw new Error(reason);
      },
      signal: new AbortController().signal,
    });
    const textsOf = async (text: TextDeclaration) => {
      const found = await connection.rows(recordTextSql(text, { columns: flat.definition.columns, from: flat.name }));
      return found.map((row) => String(row["text"]));
    };
    return { full: await textsOf(full), short: await textsOf(short) };
  });
}
