/** Carries out planned changes among account holders, a batch in one source commit, a statement per kind of change. */
import { accountHolders } from "../domain/payments/account_holders.ts";
import type { HolderChange, HolderChangeKind } from "../domain/payments/holder_change.ts";
import type { PaymentSettings } from "../domain/payments/settings.ts";
import { sourceName } from "../dataset/postgres_ddl.ts";
import type { PostgresConnection } from "../source/postgres/connection.ts";

/** Rows the changes touched. */
export interface HolderChangeCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly keyChanged: number;
}

/** Every change but an insert. */
type ExistingChange = Exclude<HolderChange, { kind: "insert" }>;

const table = sourceName(accountHolders);

/** What follows `UPDATE … FROM wanted` for each kind; `wanted` holds `_id` and, as text, `value`. */
const updates: Readonly<Record<Exclude<HolderChangeKind, "insert" | "delete">, string>> = {
  address: "SET address = wanted.value::jsonb",
  email: "SET emailaddress = wanted.value",
  children: "SET children = wanted.value::integer",
  addAccount: "SET accounts = jsonb_insert(accounts, '{bankAccounts,-1}', wanted.value::jsonb, true)",
  removeAccount: "SET accounts = accounts #- '{bankAccounts,-1}'",
  addCard: "SET accounts = jsonb_insert(accounts, '{creditCards,-1}', wanted.value::jsonb, true)",
  keyChange: "SET _id = wanted.value::bigint",
};

/**
 * Applies changes to existing holders. A change that would leave a holder without a bank account, or with more than the
 * settings allow, is passed over.
 *
 * @param connection The caller keeps a transaction open on it.
 */
export async function applyHolderChanges(
  connection: PostgresConnection,
  options: { readonly changes: readonly HolderChange[]; readonly settings: PaymentSettings },
): Promise<HolderChangeCounts> {
  const counts = { inserted: 0, updated: 0, deleted: 0, keyChanged: 0 };
  const existing = options.changes.filter((change) => change.kind !== "insert");
  for (const [kind, changes] of Map.groupBy(existing, (change) => change.kind)) {
    const near = changes.map((change) => String(change.near));
    const values = changes.map(textValue);
    const [row] = await connection.rows<{ rows: number }>(statement(kind, options.settings), [near, values]);
    const rows = row?.rows ?? 0;
    if (kind === "delete") counts.deleted += rows;
    else if (kind === "keyChange") counts.keyChanged += rows;
    else counts.updated += rows;
  }
  return counts;
}

function statement(kind: ExistingChange["kind"], settings: PaymentSettings): string {
  const wanted = `wanted AS (
    SELECT DISTINCT ON (holder._id) holder._id, given.value
    FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS given(near, value, place)
    CROSS JOIN LATERAL (SELECT _id FROM ${table} WHERE _id >= given.near ORDER BY _id LIMIT 1) AS holder
    ORDER BY holder._id, given.place)`;
  const change = kind === "delete"
    ? `DELETE FROM ${table} AS holder USING wanted WHERE holder._id = wanted._id`
    : `UPDATE ${table} AS holder ${updates[kind]} FROM wanted WHERE holder._id = wanted._id${
      condition(kind, settings)
    }`;
  return `WITH ${wanted}, changed AS (${change} RETURNING 1) SELECT count(*)::integer AS rows FROM changed`;
}

/** Keeps the numbers of accounts and cards where the contract has them (contracts §1.1). */
function condition(kind: ExistingChange["kind"], settings: PaymentSettings): string {
  if (kind === "addAccount") {
    return ` AND jsonb_array_length(accounts->'bankAccounts') BETWEEN 1 AND ${settings.accountsPerHolderMax - 1}`;
  }
  if (kind === "addCard") {
    return ` AND jsonb_array_length(accounts->'creditCards') BETWEEN 1 AND ${settings.cardsPerHolderMax - 1}`;
  }
  return kind === "removeAccount" ? " AND jsonb_array_length(accounts->'bankAccounts') > 1" : "";
}

function textValue(change: ExistingChange): string | null {
  if (change.kind === "keyChange") return String(change.newId);
  return "value" in change ? change.value : null;
}
