/** Records as they come a second time: the same holder or payment with one field a little different. */
import { Random } from "../../lib/domain/random.ts";
import type { SourceRow } from "../../lib/domain/payments/rows.ts";

/** A small difference between a record and its second coming. */
export type Slip = (row: SourceRow, random: Random) => SourceRow;

/** What happens to account holders. */
export const holderSlips: Readonly<Record<string, Slip>> = {
  "a typo in the last name": (row, random) => ({ ...row, lastname: swapLetters(String(row["lastname"]), random) }),
  "a typo in the first name": (row, random) => ({ ...row, firstname: swapLetters(String(row["firstname"]), random) }),
  "another house number": (row, random) =>
    withDocument(row, "address", (address) => ({
      ...address,
      streetAddress: String(address["streetAddress"]).replace(/^\d+/, () => String(random.between(1, 299))),
    })),
  "a child more": (row) => ({ ...row, children: Number(row["children"]) + 1 }),
  "another mail address and telephone": (row, random) => ({
    ...row,
    emailaddress: `other${random.below(1000)}@example.org`,
    mobilephonenumber: `+27 82 ${random.digits(3)} ${random.digits(4)}`,
  }),
  "an account less": (row) =>
    withDocument(row, "accounts", (accounts) => {
      const held = accounts["bankAccounts"] as readonly unknown[];
      return held.length > 1 ? { ...accounts, bankAccounts: held.slice(0, -1) } : accounts;
    }),
};

/** What happens to payments. */
export const paymentSlips: Readonly<Record<string, Slip>> = {
  "a few cents more": (row, random) => withAmount(row, (cents) => cents + random.between(1, 99)),
  "one hundredth more": (row) => withAmount(row, (cents) => Math.round(cents * 1.01)),
  "six hours later": (row) => ({
    ...row,
    eventtime: new Date(Date.parse(String(row["eventtime"])) + 6 * 3_600_000).toISOString(),
  }),
  "another clearing system": (row) => ({
    ...row,
    settlementclearingsystemcode: row["settlementclearingsystemcode"] === "EFT" ? "RTC" : "EFT",
  }),
  "another message type": (row) => ({ ...row, msgtype: row["msgtype"] === "RTCCT" ? "RTCCR" : "RTCCT" }),
  "other references and dates": (row, random) => ({
    ...row,
    paymentclearingsystemreference: random.digits(9),
    settlementdate: "2026-12-31",
  }),
};

/** Two letters beside each other in the middle of a word change places. */
function swapLetters(word: string, random: Random): string {
  if (word.length < 4) return `${word}e`;
  const place = random.between(1, word.length - 3);
  return word.slice(0, place) + word[place + 1] + word[place] + word.slice(place + 2);
}

type Document = Readonly<Record<string, unknown>>;

function withDocument(row: SourceRow, column: string, change: (document: Document) => Document): SourceRow {
  return { ...row, [column]: JSON.stringify(change(JSON.parse(String(row[column])))) };
}

function withAmount(row: SourceRow, change: (cents: number) => number): SourceRow {
  return withDocument(row, "amount", (amount) => ({
    ...amount,
    value: change(Math.round(Number(amount["value"]) * 100)) / 100,
  }));
}
