/** The dataset `payments.account_holders` (contracts §1.1), and its child table of accounts and cards. */
import type { Column } from "../../dataset/column.ts";
import { types } from "../../dataset/column_type.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import type { ChildTable, Projection } from "../../dataset/projection.ts";
import type { TextTemplate } from "../../dataset/text_template.ts";
import { sourceColumns } from "./source_columns.ts";

const columns = sourceColumns([
  { name: "_id", sourceType: "bigint", required: true, doc: "ascending number of the holder" },
  {
    name: "nationalid",
    sourceType: "varchar(16)",
    required: true,
    indexed: true,
    personal: true,
    aliases: ["idNumber", "PPS", "SSN"],
    doc: "national identity number; never part of an embedding",
  },
  { name: "firstname", sourceType: "varchar(100)", personal: true, doc: "first name", label: "First name" },
  { name: "lastname", sourceType: "varchar(100)", personal: true, doc: "last name", label: "Last name" },
  { name: "dob", sourceType: "date", personal: true, doc: "date of birth", label: "Date of birth" },
  { name: "gender", sourceType: "varchar(10)", doc: "M or F", label: "Gender" },
  { name: "children", sourceType: "integer", doc: "number of children", label: "Children" },
  { name: "address", sourceType: "jsonb", personal: true, doc: "postal address as JSON", label: "Address" },
  { name: "accounts", sourceType: "jsonb", personal: true, doc: "bank accounts and cards as JSON", label: "Accounts" },
  {
    name: "emailaddress",
    sourceType: "varchar(100)",
    personal: true,
    aliases: ["eMailAddress"],
    doc: "e-mail address",
    label: "Email",
  },
  {
    name: "mobilephonenumber",
    sourceType: "varchar(20)",
    personal: true,
    aliases: ["mobilePhoneNumber"],
    doc: "mobile phone number",
    label: "Mobile",
  },
  { name: "created_at", sourceType: "timestamptz", required: true, default: "now()", doc: "when the row was stored" },
]);

function addressField(name: string, options: { readonly key: string; readonly doc: string }): Projection {
  const column: Column = { name, type: types.string, nullable: true, personal: true, doc: options.doc };
  return { column, from: "address", path: [options.key] };
}

function count(name: string, options: { readonly key: string; readonly doc: string }): Projection {
  const column: Column = { name, type: types.int32, nullable: true, doc: options.doc };
  return { column, from: "accounts", path: [options.key], take: "count" };
}

const projections: readonly Projection[] = [
  addressField("street_address", { key: "streetAddress", doc: "house number and street" }),
  addressField("suburb", { key: "suburb", doc: "part of the town" }),
  addressField("town", { key: "town", doc: "town" }),
  addressField("province", { key: "province", doc: "province or state" }),
  addressField("country", { key: "country", doc: "country name" }),
  addressField("postal_code", { key: "postalCode", doc: "postal code" }),
  count("bank_account_count", { key: "bankAccounts", doc: "number of bank accounts" }),
  count("credit_card_count", { key: "creditCards", doc: "number of cards" }),
];

const accounts: ChildTable = {
  name: "accounts",
  from: "accounts",
  columns: [
    { name: "kind", type: types.string, nullable: false, doc: "bank_account or credit_card" },
    { name: "tenant_id", type: types.string, nullable: true, doc: "the bank" },
    { name: "branch_id", type: types.string, nullable: true, doc: "the account's branch" },
    { name: "account_id", type: types.string, nullable: true, personal: true, doc: "account number" },
    { name: "card_number", type: types.string, nullable: true, personal: true, doc: "card number" },
    { name: "account_type", type: types.string, nullable: true, doc: "kind of bank account" },
    { name: "card_type", type: types.string, nullable: true, doc: "card scheme" },
    { name: "opening_date", type: types.date, nullable: true, doc: "when the account was opened" },
    { name: "exp_date", type: types.string, nullable: true, doc: "when the card expires, MM/yy" },
    { name: "entity_id", type: types.string, nullable: true, doc: "name of the bank that keeps the account" },
    { name: "issuing_bank", type: types.string, nullable: true, doc: "name of the bank that issued the card" },
  ],
  arrays: [
    {
      path: ["bankAccounts"],
      columns: {
        kind: { constant: "bank_account" },
        tenant_id: { path: ["tenantId"] },
        branch_id: { path: ["branchId"], otherPaths: [["brancId"]] },
        account_id: { path: ["accountId"] },
        account_type: { path: ["accountType"] },
        opening_date: { path: ["openingDate"] },
        entity_id: { path: ["entityId"] },
      },
    },
    {
      path: ["creditCards"],
      columns: {
        kind: { constant: "credit_card" },
        tenant_id: { path: ["tenantId"] },
        card_number: { path: ["cardNumber"] },
        card_type: { path: ["cardType"] },
        exp_date: { path: ["expDate"] },
        issuing_bank: { path: ["issuingBank"] },
      },
    },
  ],
};

/**
 * Who a holder is and how they bank. Left out are what tells one person from all others and nothing else (telephone, mail address,
 * street and house number, postal code), the numbers and branches of accounts, and their dates.
 */
const textTemplate: TextTemplate = {
  version: "account-holder-compact-1",
  parts: [
    { label: "Name", separator: " ", values: [{ column: "firstname" }, { column: "lastname" }] },
    { label: "Gender", values: [{ column: "gender" }] },
    { label: "Born", values: [{ column: "dob", take: "year" }] },
    { label: "Children", values: [{ column: "children" }] },
    { label: "Suburb", values: [{ column: "suburb" }] },
    { label: "Town", values: [{ column: "town" }, { column: "province" }, { column: "country" }] },
    {
      label: "Accounts",
      values: [{ column: "accounts", elements: [{ path: ["bankAccounts"], keys: ["accountType", "entityId"] }] }],
    },
    {
      label: "Cards",
      values: [{ column: "accounts", elements: [{ path: ["creditCards"], keys: ["cardType", "issuingBank"] }] }],
    },
  ],
};

/** Account holders, keyed by `_id`. */
export const accountHolders: Dataset = {
  namespace: "payments",
  name: "account_holders",
  source: { namespace: "public", table: "accountholders" },
  columns,
  key: ["_id"],
  projections,
  children: [accounts],
  emptyText: "Unknown account holder profile",
  textVersion: "account-holder-1",
  textTemplate,
};
