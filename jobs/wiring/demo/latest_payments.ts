/** The newest payments of a lake, and those before them that are most similar to the newest. */
import type { DuckDBValue } from "@duckdb/node-api";
import type { LakePlace } from "../../../lib/query/lake_tables.ts";
import type { TableFolder } from "../../../lib/query/lake_folders.ts";
import { similar } from "../../../lib/query/similar/similar.ts";
import { openTable } from "../../../lib/query/time_travel.ts";
import { maskedColumns } from "../masked_columns.ts";
import type { ShownPayment, SimilarPayment } from "./figures.ts";

/** What is shown of a payment is made from these. */
const columns = [
  "_id",
  "eventtime",
  "eventtype",
  "value",
  "currency",
  "accountnumber",
  ...["account_holder", "counterparty"].flatMap((party) =>
    ["account_type", "card_type", "entity_id", "issuing_bank"].map((name) => `${party}_account_${name}`)
  ),
];

type Row = Readonly<Record<string, DuckDBValue>>;

/** What was found. */
export interface LatestPayments {
  readonly payments: readonly ShownPayment[];
  readonly similar: readonly SimilarPayment[];
}

/** Looks the lake over; empty while there are no payments. Of the two legs of each the one that pays is shown. */
export async function latestPayments(
  table: TableFolder,
  lake: LakePlace,
  { payments, similar: near }: { readonly payments: number; readonly similar: number },
): Promise<LatestPayments> {
  const opened = await openTable(table, lake);
  if (opened === undefined) return { payments: [], similar: [] };
  using scan = await opened.table.scan(opened.newest);
  const rows = await lake.connection.rows(
    `SELECT ${columns.join(", ")} FROM (${scan.sql}) WHERE direction = 'outbound' ORDER BY _id DESC LIMIT ${payments}`,
  ) as readonly Row[];
  const mask = maskedColumns(table);
  const newest = rows[0]?._id;
  if (typeof newest !== "bigint") return { payments: [], similar: [] };
  const found = await similar(lake, {
    table,
    near: { key: { _id: newest } },
    top: near,
    filters: [{ column: "_id", is: "<", value: newest }, { column: "direction", is: "=", value: "outbound" }],
    columns,
  });
  return {
    payments: rows.map((row) => shown(row, mask)),
    similar: found.rows.map(({ similarity, row }) => ({ similarity, ...shown(row, mask) })),
  };
}

function shown(row: Row, mask: ReadonlySet<string>): ShownPayment {
  const textOf = (...names: readonly string[]) => {
    const name = names.find((each) => row[each] !== null && row[each] !== undefined);
    if (name === undefined) return "";
    return mask.has(name) ? "***" : String(row[name]);
  };
  const party = (prefix: string) => {
    const kind = textOf(`${prefix}_account_type`, `${prefix}_card_type`);
    return `${kind}, ${textOf(`${prefix}_entity_id`, `${prefix}_issuing_bank`)}`;
  };
  return {
    time: /\d\d-\d\d[ T]\d\d:\d\d:\d\d/.exec(textOf("eventtime"))?.[0].replace("T", " ") ?? "",
    kind: textOf("eventtype"),
    amount: `${grouped(textOf("value"))} ${textOf("currency")}`,
    from: party("account_holder_account"),
    to: party("counterparty_account"),
    account: textOf("accountnumber"),
  };
}

/** `12345.60` as `12,345.60`. */
function grouped(amount: string): string {
  const [whole = "", fraction] = amount.split(".");
  return whole.replace(/(?<=\d)(?=(?:\d{3})+$)/g, ",") + (fraction === undefined ? "" : `.${fraction}`);
}
