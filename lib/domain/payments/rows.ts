/** Records as rows of their source tables: one property per column of the dataset, JSON columns as text. */
import type { AccountHolder } from "./account_holder.ts";
import { amountJson, type Payment } from "./payment.ts";

/** A value of a row. */
export type RowValue = string | number | bigint | null;

/** A row by column name. `created_at` is left to the database's default. */
export type SourceRow = Readonly<Record<string, RowValue>>;

/** An account holder as a row of `accountholders`. */
export function accountHolderRow(holder: AccountHolder): SourceRow {
  return {
    _id: holder.id,
    nationalid: holder.nationalId,
    firstname: holder.firstName,
    lastname: holder.lastName,
    dob: holder.birthDate,
    gender: holder.gender,
    children: holder.children,
    address: JSON.stringify(holder.address),
    accounts: JSON.stringify(holder.accounts),
    emailaddress: holder.emailAddress,
    mobilephonenumber: holder.mobilePhoneNumber,
  };
}

/**
 * A payment as its two rows of `transactions`: outbound leg first, seen from the payer, then the inbound leg, seen from
 * the payee. `fromid` and `toid` stay payer and payee on both (contracts §1.2, the stable convention).
 */
export function paymentRows(payment: Payment): readonly [SourceRow, SourceRow] {
  const amount = amountJson(payment.amount);
  const eventTime = new Date(payment.eventTimeMs).toISOString();
  return [
    legRow(payment, { id: payment.firstLegId, outbound: true, amount, eventTime }),
    legRow(payment, { id: payment.firstLegId + 1n, outbound: false, amount, eventTime }),
  ];
}

interface LegFacts {
  readonly id: bigint;
  readonly outbound: boolean;
  readonly amount: string;
  readonly eventTime: string;
}

// One literal, in the order of the table: split up, it would be slower to read and to run.
function legRow(payment: Payment, { id, outbound, amount, eventTime }: LegFacts): SourceRow {
  const { payer, payee } = payment;
  const holder = outbound ? payer : payee;
  const counterparty = outbound ? payee : payer;
  return {
    _id: id,
    eventid: outbound ? payment.outboundEventId : payment.inboundEventId,
    transactionid: payment.transactionId,
    eventtime: eventTime,
    direction: outbound ? "outbound" : "inbound",
    eventtype: payment.eventType,
    creationdate: eventTime.slice(0, 19),
    accountholdernationalid: holder.nationalId,
    accountholderaccount: holder.instrumentJson,
    counterpartynationalid: counterparty.nationalId,
    counterpartyaccount: counterparty.instrumentJson,
    tenantid: holder.bank,
    fromid: payer.bank,
    accountagentid: holder.bank,
    fromfibranchid: payer.branchId,
    accountnumber: holder.number,
    toid: payee.bank,
    accountidcode: outbound ? "RTC10" : "RTC30",
    counterpartyagentid: counterparty.bank,
    tofibranchid: payee.branchId,
    counterpartynumber: counterparty.number,
    counterpartyidcode: outbound ? "RTC30" : "RTC10",
    amount,
    msgtype: payment.messageType,
    settlementclearingsystemcode: payment.settlementClearingSystemCode,
    paymentclearingsystemreference: payment.clearingReference,
    requestexecutiondate: payment.requestExecutionDate,
    settlementdate: payment.settlementDate,
    destinationcountry: payment.destinationCountry,
    localinstrument: "42",
    msgstatus: "Settlement",
    paymentmethod: "TRF",
    settlementmethod: "CLRG",
    transactiontype: "42",
    verificationresult: "SUCC",
    numberoftransactions: 1,
    schemaversion: 1,
    usercode: "0000",
  };
}
