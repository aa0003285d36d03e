/** Texts of generated payments for the measurements of models. */
import { recordTexts } from "../../jobs/wiring/generated_texts.ts";
import { paymentGenerators } from "../../lib/domain/payments/generators.ts";
import { paymentRows } from "../../lib/domain/payments/rows.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import type { TextForm } from "../../lib/embed/text_declaration.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";

/** Of the same payments, one text a row: of some 330 tokens in full, more than most models read, and some 60 as a rule. */
export type PaymentTexts = Readonly<Record<TextForm, readonly string[]>>;

/** Texts of both legs of payments out of the generator, the same for every seed. */
export async function paymentTexts(count: number, seed = 1): Promise<PaymentTexts> {
  const { holders, pool, payments } = await paymentGenerators({ seed, clock: () => Date.UTC(2026, 0, 1) });
  for (let id = 1n; id <= 200n; id++) pool.offer(holders.holder(id));
  const made = Array.from({ length: Math.ceil(count / 2) }, (_, id) => paymentRows(payments.payment(BigInt(id) + 1n)));
  const rows = made.flat().slice(0, count);
  return await withDatabase(async ({ connection }) => {
    const textsOf = (form: TextForm) => recordTexts(connection, { dataset: transactions, rows, form });
    return { full: await textsOf("full"), compact: await textsOf("compact") };
  });
}
