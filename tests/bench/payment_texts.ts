/** Texts of generated payments for the measurements of models. */
import { sourceTable } from "../../lib/dataset/dataset.ts";
import { paymentGenerators } from "../../lib/domain/payments/generators.ts";
import { paymentRows } from "../../lib/domain/payments/rows.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { recordTextSql } from "../../lib/embed/record_text.ts";
import { datasetText, type TextForm } from "../../lib/embed/text_declaration.ts";
import { literal } from "../../lib/engine/quote.ts";
import { relationOf } from "../../lib/testing/relations.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { createFlatten } from "../../lib/transform/flatten.ts";

/** Of the same payments, one text a row: of some 330 tokens in full, more than most models read, and some 60 as a rule. */
export type PaymentTexts = Readonly<Record<TextForm, readonly string[]>>;

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
    const textsOf = async (form: TextForm) => {
      const sql = recordTextSql(datasetText(transactions, form)!, {
        columns: flat.definition.columns,
        from: flat.name,
      });
      return (await connection.rows(sql)).map((row) => String(row["text"]));
    };
    return { full: await textsOf("full"), compact: await textsOf("compact") };
  });
}
