/** Record texts of generated account holders and payments, made by the same statements as those of captured rows. */
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { sourceTable } from "../../lib/dataset/dataset.ts";
import { duckdbType } from "../../lib/dataset/column_type.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { paymentGenerators } from "../../lib/domain/payments/generators.ts";
import { accountHolderRow, paymentRows, type SourceRow } from "../../lib/domain/payments/rows.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { Random } from "../../lib/domain/random.ts";
import { recordTextSql } from "../../lib/embed/record_text.ts";
import { datasetText, type TextForm } from "../../lib/embed/text_declaration.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { identifier, literal } from "../../lib/engine/quote.ts";
import { Scratch } from "../../lib/engine/scratch.ts";
import { WeirError } from "../../lib/errors.ts";
import { createFlatten } from "../../lib/transform/flatten.ts";

/** How many records. */
export interface GeneratedRecordsOptions {
  readonly seed: number;
  readonly holders: number;
  readonly payments: number;
}

/** Rows of the two source tables. */
export interface GeneratedRecords {
  readonly holders: readonly SourceRow[];
  /** One leg of each payment: the other has nearly the same text. */
  readonly payments: readonly SourceRow[];
}

const yearMs = 365 * 86_400_000;
/** Holders who pay and are paid, however many are asked for: fewer records are then the first of more. */
const payers = 2500;

/** Generates records whose payments lie evenly in the year 2026, at every hour. */
export async function generatedRecords(options: GeneratedRecordsOptions): Promise<GeneratedRecords> {
  const { seed } = options;
  const random = new Random(seed, "times of payments");
  let nowMs = Date.UTC(2026, 0, 1);
  const { holders, payments, pool } = await paymentGenerators({ seed, clock: () => nowMs });
  const people = Array.from(
    { length: Math.max(payers, options.holders) },
    (_, index) => holders.holder(BigInt(index + 1)),
  );
  for (const holder of people.slice(0, payers)) pool.offer(holder);
  const legs = Array.from({ length: options.payments }, (_, index) => {
    nowMs = Date.UTC(2026, 0, 1) + Math.floor(random.fraction() * yearMs);
    const [outbound, inbound] = paymentRows(payments.payment(BigInt(2 * index + 1)));
    return random.chance(0.5) ? outbound : inbound;
  });
  return { holders: people.slice(0, options.holders).map(accountHolderRow), payments: legs };
}

/** The texts of rows, in their order. The connection is left as it was. */
export async function recordTexts(
  connection: Connection,
  { dataset, rows, form }: { readonly dataset: Dataset; readonly rows: readonly SourceRow[]; readonly form: TextForm },
): Promise<readonly string[]> {
  const declaration = datasetText(dataset, form);
  if (declaration === undefined) throw new TypeError(`Cannot make texts: ${dataset.name} declares none`);
  await using scratch = new Scratch(connection);
  const table = scratch.name("generated");
  await writeRows(connection, { table, dataset, rows });
  const flat = await createFlatten(dataset).apply(
    { name: table, definition: sourceTable(dataset), rows: rows.length },
    {
      connection,
      temporaryName: scratch.name,
      temporaryFile: scratch.file,
      currentRows: () => Promise.resolve(undefined),
      deadLetter: ({ reason }) => {
        throw new WeirError("internal", `A generated record cannot be flattened: ${reason}`);
      },
      signal: new AbortController().signal,
    },
  );
  const sql = recordTextSql(declaration, { columns: flat.definition.columns, from: flat.name });
  const texts = await connection.rows(`SELECT text FROM (${sql}) ORDER BY _ordinal`);
  return texts.map((row) => String(row["text"]));
}

/** The two datasets, by the name of their records. */
export const recordDatasets: Readonly<Record<keyof GeneratedRecords, Dataset>> = {
  holders: accountHolders,
  payments: transactions,
};

const rowsPerStatement = 500;

async function writeRows(
  connection: Connection,
  { table, dataset, rows }: { readonly table: string; readonly dataset: Dataset; readonly rows: readonly SourceRow[] },
): Promise<void> {
  const columns = dataset.columns.map((column) => `${identifier(column.name)} ${duckdbType(column.type)}`);
  const flags = "_ordinal BIGINT, _delete BOOLEAN, _replaces BOOLEAN";
  await connection.run(`CREATE TABLE ${identifier(table)} (${[...columns, flags].join(", ")})`);
  for (let start = 0; start < rows.length; start += rowsPerStatement) {
    const values = rows.slice(start, start + rowsPerStatement).map((row, index) => {
      const cells = dataset.columns.map(({ name }) => {
        const value = row[name];
        return value === null || value === undefined ? "NULL" : literal(String(value));
      });
      return `(${[...cells, start + index, false, false].join(", ")})`;
    });
    await connection.run(`INSERT INTO ${identifier(table)} VALUES ${values.join(", ")}`);
  }
}
