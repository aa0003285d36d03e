/** Which values are masked wherever rows are shown: those that the datasets call personal. */
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";

/** The columns of a lake table whose values nobody is shown. */
export function maskedColumns({ namespace, name }: TableFolder): ReadonlySet<string> {
  const own = [accountHolders, transactions].find((each) => each.namespace === namespace && each.name === name);
  const child = [accountHolders, transactions].filter((each) => each.namespace === namespace)
    .flatMap(({ children = [] }) => children).find((each) => each.name === name);
  const projected = own?.projections?.map(({ column }) => column) ?? [];
  const columns = [...own?.columns ?? [], ...projected, ...child?.columns ?? []];
  return new Set(columns.filter((column) => column.personal).map((column) => column.name));
}
