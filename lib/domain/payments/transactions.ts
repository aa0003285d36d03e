/** The dataset `payments.transactions` (contracts §1.2): one row per leg, two legs per payment. */
import { types } from "../../dataset/column_type.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import type { Projection } from "../../dataset/projection.ts";
import type { Band, TemplateValue, TextTemplate } from "../../dataset/text_template.ts";
import { sourceColumns } from "./source_columns.ts";

const columns = sourceColumns([
  { name: "_id", sourceType: "bigint", required: true, doc: "ascending number of the leg" },
  { name: "eventid", sourceType: "uuid", required: true, indexed: true, doc: "UUIDv7 of the leg" },
  {
    name: "transactionid",
    sourceType: "uuid",
    required: true,
    indexed: true,
    doc: "UUIDv7 shared by both legs of a payment",
  },
  {
    name: "eventtime",
    sourceType: "timestamptz",
    required: true,
    doc: "when the payment happened",
    label: "Event time",
  },
  { name: "direction", sourceType: "varchar(8)", required: true, doc: "outbound or inbound", label: "Direction" },
  { name: "eventtype", sourceType: "varchar(10)", doc: "kind of payment", label: "Event type" },
  {
    name: "creationdate",
    sourceType: "varchar(19)",
    doc: "when the message was made, UTC without offset",
    label: "Creation date",
  },
  {
    name: "accountholdernationalid",
    sourceType: "varchar(16)",
    personal: true,
    doc: "national id of the leg's own holder; never part of an embedding",
  },
  {
    name: "accountholderaccount",
    sourceType: "jsonb",
    personal: true,
    doc: "account or card of the leg's own holder as JSON",
    label: "Account holder account",
  },
  {
    name: "counterpartynationalid",
    sourceType: "varchar(16)",
    personal: true,
    doc: "national id of the other side; never part of an embedding",
  },
  {
    name: "counterpartyaccount",
    sourceType: "jsonb",
    personal: true,
    doc: "account or card of the other side as JSON",
    label: "Counterparty account",
  },
  { name: "tenantid", sourceType: "varchar(8)", doc: "bank of the leg's own holder", label: "Tenant ID" },
  { name: "fromid", sourceType: "varchar(8)", doc: "the payer's bank", label: "From ID" },
  {
    name: "accountagentid",
    sourceType: "varchar(8)",
    doc: "bank of the leg's own holder as agent",
    label: "Account agent ID",
  },
  { name: "fromfibranchid", sourceType: "varchar(6)", doc: "the payer's branch", label: "From FI branch ID" },
  {
    name: "accountnumber",
    sourceType: "varchar(16)",
    personal: true,
    doc: "account or card number of the leg's own holder",
    label: "Account number",
  },
  { name: "toid", sourceType: "varchar(8)", doc: "the payee's bank", label: "To ID" },
  {
    name: "accountidcode",
    sourceType: "varchar(5)",
    doc: "RTC10 on the outbound leg, RTC30 on the inbound",
    label: "Account ID code",
  },
  {
    name: "counterpartyagentid",
    sourceType: "varchar(8)",
    doc: "bank of the other side",
    label: "Counterparty agent ID",
  },
  { name: "tofibranchid", sourceType: "varchar(6)", doc: "the payee's branch", label: "To FI branch ID" },
  {
    name: "counterpartynumber",
    sourceType: "varchar(16)",
    personal: true,
    doc: "account or card number of the other side",
    label: "Counterparty number",
  },
  {
    name: "counterpartyidcode",
    sourceType: "varchar(5)",
    doc: "RTC30 on the outbound leg, RTC10 on the inbound",
    label: "Counterparty ID code",
  },
  { name: "amount", sourceType: "jsonb", doc: "amount in both currencies as JSON", label: "Amount" },
  { name: "msgtype", sourceType: "varchar(6)", doc: "message type", label: "Message type" },
  {
    name: "settlementclearingsystemcode",
    sourceType: "varchar(5)",
    doc: "clearing system",
    label: "Settlement clearing system code",
  },
  {
    name: "paymentclearingsystemreference",
    sourceType: "varchar(12)",
    doc: "nine digits of the clearing system",
    label: "Payment clearing system reference",
  },
  {
    name: "requestexecutiondate",
    sourceType: "date",
    doc: "when the payment is to be made",
    label: "Request execution date",
  },
  { name: "settlementdate", sourceType: "date", doc: "when the banks settle", label: "Settlement date" },
  { name: "destinationcountry", sourceType: "varchar(30)", doc: "ISO 3166 alpha-3", label: "Destination country" },
  { name: "localinstrument", sourceType: "varchar(2)", doc: "local instrument code", label: "Local instrument" },
  { name: "msgstatus", sourceType: "varchar(12)", doc: "status of the message", label: "Message status" },
  { name: "paymentmethod", sourceType: "varchar(4)", doc: "payment method code", label: "Payment method" },
  { name: "settlementmethod", sourceType: "varchar(4)", doc: "settlement method code", label: "Settlement method" },
  { name: "transactiontype", sourceType: "varchar(2)", doc: "transaction type code", label: "Transaction type" },
  {
    name: "verificationresult",
    sourceType: "varchar(4)",
    doc: "result of the verification",
    label: "Verification result",
  },
  {
    name: "numberoftransactions",
    sourceType: "integer",
    doc: "transactions in the message",
    label: "Number of transactions",
  },
  { name: "schemaversion", sourceType: "integer", doc: "version of the message's shape", label: "Schema version" },
  { name: "usercode", sourceType: "varchar(4)", doc: "user code", label: "User code" },
  { name: "created_at", sourceType: "timestamptz", required: true, default: "now()", doc: "when the row was stored" },
]);

const amountFields: readonly Projection[] = ([
  ["base_currency", "baseCurrency", types.string, "currency the amount was drawn in, ISO 4217"],
  ["base_value", "baseValue", types.decimal(18, 2), "amount in the base currency"],
  ["roe", "roe", types.decimal(18, 6), "rate of exchange: units of currency per unit of base currency"],
  ["currency", "currency", types.string, "currency of the payment, ISO 4217"],
  ["value", "value", types.decimal(18, 2), "amount in the currency of the payment"],
] as const).map(([name, key, type, doc]) => ({
  column: { name, type, nullable: true, doc },
  from: "amount",
  path: [key],
}));

const partyFields = [
  ["account_id", "accountId", types.string, "account number"],
  ["card_number", "cardNumber", types.string, "card number"],
  ["tenant_id", "tenantId", types.string, "bank"],
  ["branch_id", "branchId", types.string, "branch of the account"],
  ["account_type", "accountType", types.string, "kind of bank account"],
  ["card_type", "cardType", types.string, "card scheme"],
  ["opening_date", "openingDate", types.date, "when the account was opened"],
  ["exp_date", "expDate", types.string, "when the card expires, MM/yy"],
  ["entity_id", "entityId", types.string, "name of the bank that keeps the account"],
  ["issuing_bank", "issuingBank", types.string, "name of the bank that issued the card"],
] as const;

/** A misspelling that some senders use (contracts §1.1). */
const otherKeys: Readonly<Record<string, string>> = { branchId: "brancId" };

/** Fields that tell one person from another. */
const personalFields: ReadonlySet<string> = new Set(["account_id", "card_number"]);

/** An account fills some of the columns and a card the others; both have a bank. */
function partyProjections(prefix: string, options: { readonly from: string; readonly whose: string }) {
  return partyFields.map(([name, key, type, doc]): Projection => ({
    column: {
      name: `${prefix}_${name}`,
      type,
      nullable: true,
      ...(personalFields.has(name) ? { personal: true } : {}),
      doc: `${doc} of ${options.whose}`,
    },
    from: options.from,
    path: [key],
    ...(otherKeys[key] === undefined ? {} : { otherPaths: [[otherKeys[key]]] }),
  }));
}

/**
 * Sizes in words, in the currency of the payment: what a language model knows of amounts, it knows by these. Their limits are none of
 * the ranges', so that an amount a little higher changes one of the two at most.
 */
const sizes: readonly Band[] = [
  { below: 150, text: "tiny" },
  { below: 700, text: "very small" },
  { below: 3000, text: "small" },
  { below: 15_000, text: "medium" },
  { below: 70_000, text: "large" },
  { below: 300_000, text: "very large" },
];

/** Between round limits: near amounts share a range. */
const limits = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];
const ranges: readonly Band[] = limits.map((below, place) => ({
  below,
  text: place === 0 ? `under ${below}` : `${limits[place - 1]} to ${below}`,
}));

/** The kind of an account or card and its bank. */
function party(prefix: string): readonly TemplateValue[] {
  const either = (first: string, second: string) => ({ firstOf: [`${prefix}_${first}`, `${prefix}_${second}`] });
  return [either("account_type", "card_type"), either("entity_id", "issuing_bank")];
}

/**
 * What a payment is like: how large, which way, whose, to whom, when. Left out are numbers of accounts, branches and references; the
 * codes of message and clearing system, which a language model knows nothing of and which yet made a fifth of what set payments
 * apart; and the dates of execution and settlement. The exact amount: a cent more makes another text. The time is last, where a
 * language model makes least of it, so that a payment that comes again some hours later stays near the first.
 */
const textTemplate: TextTemplate = {
  version: "payment-compact-2",
  parts: [
    {
      label: "Payment",
      separator: " ",
      values: [{ column: "value", bands: sizes, above: "huge" }, { column: "direction" }],
    },
    { label: "Account", values: party("account_holder_account") },
    { label: "Counterparty", values: party("counterparty_account") },
    { label: "Type", values: [{ column: "eventtype" }] },
    { label: "Country", values: [{ column: "destinationcountry" }] },
    {
      label: "Range",
      separator: " ",
      values: [{ column: "value", bands: ranges, above: "over 1000000" }, { column: "currency" }],
    },
    { label: "Amount", values: [{ column: "value" }] },
    {
      label: "Time",
      separator: " ",
      values: [{ column: "eventtime", take: "weekday" }, { column: "eventtime", take: "part of day" }],
    },
  ],
};

/** Payment legs, keyed by `_id`; Iceberg partitions them by the day of `eventtime`. */
export const transactions: Dataset = {
  namespace: "payments",
  name: "transactions",
  source: { namespace: "public", table: "transactions" },
  columns,
  key: ["_id"],
  eventTime: "eventtime",
  projections: [
    ...amountFields,
    ...partyProjections("account_holder_account", { from: "accountholderaccount", whose: "the leg's own holder" }),
    ...partyProjections("counterparty_account", { from: "counterpartyaccount", whose: "the other side" }),
  ],
  emptyText: "Unknown transaction profile",
  textVersion: "payment-1",
  textTemplate,
};
