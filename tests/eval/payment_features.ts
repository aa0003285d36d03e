/** The columns of payments as numbers for a classifier: what a model without vectors has to go by. */
import type { SourceRow } from "../../lib/domain/payments/rows.ts";

/** A row of numbers per payment: amount and hour as numbers, everything with few values as a number for each of them. */
export function paymentFeatures(rows: readonly SourceRow[]): readonly Float64Array[] {
  const read = rows.map((row) => {
    const time = new Date(String(row["eventtime"]));
    const holder = JSON.parse(String(row["accountholderaccount"]));
    const other = JSON.parse(String(row["counterpartyaccount"]));
    const hour = time.getUTCHours();
    return {
      numbers: [Math.log(JSON.parse(String(row["amount"])).value), Math.sin(hour * turn), Math.cos(hour * turn)],
      words: [
        `direction ${row["direction"]}`,
        `type ${row["eventtype"]}`,
        `message ${row["msgtype"]}`,
        `clearing ${row["settlementclearingsystemcode"]}`,
        `weekday ${time.getUTCDay()}`,
        `kind ${holder.accountType ?? holder.cardType}`,
        `bank ${holder.tenantId}`,
        `other kind ${other.accountType ?? other.cardType}`,
        `other bank ${other.tenantId}`,
      ],
    };
  });
  return read.map(({ numbers, words }) => {
    const features = new Float64Array(numbers.length + places);
    features.set(numbers);
    for (const word of words) features[numbers.length + placeOf(word)] = 1;
    return features;
  });
}

const turn = 2 * Math.PI / 24;
const places = 90;
const known = new Map<string, number>();

/** The same place for a word in every call: training and test rows must agree. */
function placeOf(word: string): number {
  let place = known.get(word);
  if (place === undefined) known.set(word, place = known.size);
  if (place >= places) throw new RangeError("Cannot place another word");
  return place;
}
