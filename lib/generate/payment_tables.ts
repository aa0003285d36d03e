/** The payments tables in a PostgreSQL that we may write to: made where missing, read where a run goes on. */
import { accountHolders } from "../domain/payments/account_holders.ts";
import type { PayingHolder } from "../domain/payments/party.ts";
import { type PartyPool, poolHoldersMax } from "../domain/payments/party_pool.ts";
import { transactions } from "../domain/payments/transactions.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { postgresDdl, sourceName } from "../dataset/postgres_ddl.ts";
import { identifier } from "../engine/quote.ts";
import type { PostgresConnection } from "../source/postgres/connection.ts";

/** The datasets that the generator fills. */
const paymentDatasets: readonly Dataset[] = [accountHolders, transactions];

/** Creates the tables and indexes that are missing. Existing ones are left as they are. */
export async function createPaymentTables(connection: PostgresConnection): Promise<void> {
  for (const dataset of paymentDatasets) {
    // A statement that finds its table there would still raise a notice and take a lock.
    const [found] = await connection.rows<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [
      sourceName(dataset),
    ]);
    if (found?.there) continue;
    for (const statement of postgresDdl(dataset)) await connection.run(statement);
  }
}

/** The smallest and largest id of a table; zeros where it is empty. */
export async function storedIds(
  connection: PostgresConnection,
  dataset: Dataset,
): Promise<{ readonly low: bigint; readonly high: bigint }> {
  const [row] = await connection.rows<{ low: string; high: string }>(
    `SELECT coalesce(min(_id), 0)::text AS low, coalesce(max(_id), 0)::text AS high FROM ${sourceName(dataset)}`,
  );
  return { low: BigInt(row?.low ?? 0), high: BigInt(row?.high ?? 0) };
}

/** Fills the pool with stored holders, evenly over their ids, as many as it keeps; by index, not by a scan. */
export async function offerStoredHolders(
  connection: PostgresConnection,
  options: { readonly pool: PartyPool; readonly ids: { readonly low: bigint; readonly high: bigint } },
): Promise<void> {
  const { ids, pool } = options;
  if (ids.high === 0n) return;
  const span = ids.high - ids.low + 1n;
  const step = (span + BigInt(poolHoldersMax) - 1n) / BigInt(poolHoldersMax);
  const holders = await connection.rows<{ nationalid: string; accounts: unknown }>(
    `SELECT DISTINCT ON (holder._id) holder.nationalid, holder.accounts
     FROM generate_series($1::bigint, $2::bigint, $3::bigint) AS near(id)
     CROSS JOIN LATERAL (
       SELECT _id, nationalid, accounts FROM ${sourceName(accountHolders)} WHERE _id >= near.id ORDER BY _id LIMIT 1
     ) AS holder
     ORDER BY holder._id`,
    [String(ids.low), String(ids.high), String(step)],
  );
  for (const { nationalid, accounts } of holders) {
    pool.offer({ nationalId: nationalid, accounts: readAccounts(accounts) });
  }
}

/** `COPY` of a dataset's columns in text format; `created_at` is left to its default. */
export function copyStatement(dataset: Dataset, columns: readonly string[]): string {
  return `COPY ${sourceName(dataset)} (${columns.map(identifier).join(", ")}) FROM STDIN`;
}

/** The columns that the generator fills. */
export function generatedColumns(dataset: Dataset): readonly string[] {
  return dataset.columns.filter((column) => column.sourceDefault === undefined).map((column) => column.name);
}

/** Accounts and cards that can pay and be paid. Rows that somebody else wrote may hold anything. */
function readAccounts(accounts: unknown): PayingHolder["accounts"] {
  const { bankAccounts, creditCards } = (accounts ?? {}) as Record<string, unknown>;
  return {
    bankAccounts: usable(bankAccounts, "accountId").map((account) => {
      const { branchId = account["brancId"] } = account;
      return { ...account, branchId: typeof branchId === "string" ? branchId : "" };
    }) as unknown as PayingHolder["accounts"]["bankAccounts"],
    creditCards: usable(creditCards, "cardNumber") as unknown as PayingHolder["accounts"]["creditCards"],
  };
}

function usable(instruments: unknown, number: string): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(instruments)) return [];
  return instruments.filter((instrument) =>
    [instrument?.tenantId, instrument?.[number]].every((text) => typeof text === "string" && text.length > 0)
  );
}
