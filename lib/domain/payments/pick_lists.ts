/**
 * The pick lists of the payments domain (contracts §1.3): what they are called, what a value looks like, and the lists
 * that hold when nobody gives others.
 */
import { z } from "zod";
import { pickEntries, PickList } from "../pick_list.ts";
import cardBinsJson from "../../../data/payments/card_bins.json" with { type: "json" };
import membersJson from "../../../data/payments/members.json" with { type: "json" };
import fieldsJson from "../../../data/payments/pick_lists.json" with { type: "json" };
import placesJson from "../../../data/payments/places.json" with { type: "json" };
import suburbsJson from "../../../data/payments/suburbs.json" with { type: "json" };

const text = z.string().min(1);
const branchId = z.string().regex(/^\d{6}$/);

const memberShape = z.object({
  memberName: text,
  displayName: text,
  tenantId: text.max(8),
  bicFi: z.string().max(8),
  swiftCode: text,
  memberNo: z.string().regex(/^\d{6}$/),
  mnemonic: z.string().length(3),
  branch_start: branchId,
  branch_end: branchId,
  sponsored_by: z.string().default(""),
})
  .refine((member) => member.branch_start <= member.branch_end, "branch_start is above branch_end")
  .refine((member) => member.sponsored_by === "" || member.bicFi === "", "a sponsored member has no bicFi of its own");

const cardBinShape = z.object({
  cardType: text,
  prefix: z.string().regex(/^\d{1,8}$/),
  length: z.int().min(12).max(16),
});

/** How a list of objects is written where a text must do. */
const jsonExample = '[{"value": {…}, "weight": 3}]';

const placeShape = z.object({ countryCode: text, province: text, town: text, postalCode: text });
const suburbShape = z.object({ countryCode: text, suburb: text });

/** A clearing member and one of its branch ranges. A member with several ranges stands in the list once for each. */
export type Member = Readonly<z.infer<typeof memberShape>>;
/** The beginning of a card number, and the number's length. */
export type CardBin = Readonly<z.infer<typeof cardBinShape>>;
/** A town with the pattern of its postal codes (`#` digit, `?` letter). */
export type Place = Readonly<z.infer<typeof placeShape>>;
/** A part of a town. */
export type Suburb = Readonly<z.infer<typeof suburbShape>>;

const shapes = {
  accountType: text,
  cardType: text,
  eventType: text.max(10),
  messageType: text.max(6),
  settlementClearingSystemCode: text.max(5),
  gender: z.enum(["M", "F"]),
  member: memberShape,
  cardBin: cardBinShape,
  place: placeShape,
  suburb: suburbShape,
} as const;

/** What a value of each list means, and how a list is written. */
const meanings: Readonly<Record<PickListName, { readonly help: string; readonly example: string }>> = {
  accountType: { help: "Kinds of bank accounts", example: "Savings:3,Cheque:6" },
  cardType: { help: "Card schemes; each needs a prefix in cardBin", example: "Visa:7,MasterCard:3" },
  eventType: { help: "Kinds of payments", example: "paymentRT:4,paymentNRT:12" },
  messageType: { help: "Message types of payments", example: "RTCCT:8,RTCCR:5" },
  settlementClearingSystemCode: { help: "Clearing systems of payments", example: "EFT:8,RTC:4" },
  gender: { help: "Genders of account holders, of M and F", example: "M:48,F:52" },
  member: { help: "Banks and their branch ranges, as in data/payments/members.json", example: jsonExample },
  cardBin: { help: "Beginnings of card numbers, as in data/payments/card_bins.json", example: jsonExample },
  place: { help: "Towns and their postal codes, as in data/payments/places.json", example: jsonExample },
  suburb: { help: "Parts of towns, as in data/payments/suburbs.json", example: jsonExample },
};

/** The name of a pick list. */
export type PickListName = keyof typeof shapes;

/** Every pick list the generator draws from. */
export type PaymentPickLists = { readonly [Name in PickListName]: PickList<Readonly<z.infer<(typeof shapes)[Name]>>> };

/** All names, e.g. to look for overrides. */
export const pickListNames = Object.keys(shapes) as readonly PickListName[];

/** What a list holds, in one phrase, and how it is written. */
export function pickListMeaning(name: PickListName): { readonly help: string; readonly example: string } {
  return meanings[name];
}

/** Names that the contract's columns go by. */
const otherNames: Readonly<Record<string, PickListName>> = { msgtype: "messageType", members: "member" };

/** The list a user means: in any case, with or without underscores, or by the contract's column. Undefined: none. */
export function pickListNamed(given: string): PickListName | undefined {
  const plain = (name: string) => name.replaceAll("_", "").toLowerCase();
  return pickListNames.find((name) => plain(name) === plain(given)) ?? otherNames[plain(given)];
}

const defaults: Readonly<Record<PickListName, unknown>> = {
  ...fieldsJson,
  member: membersJson,
  cardBin: cardBinsJson,
  place: placesJson,
  suburb: suburbsJson,
};

/**
 * All lists: the given ones, and ours where none is given.
 *
 * @param given Lists in a JSON form that `pickEntries` reads, by name.
 * @throws {RangeError} If a list is empty, misshapen, or a card type has no prefix to make numbers from.
 */
export function paymentPickLists(given: Partial<Record<PickListName, unknown>> = {}): PaymentPickLists {
  const lists = Object.fromEntries(
    pickListNames.map((name) => [name, paymentPickList(name, given[name] ?? defaults[name])]),
  ) as unknown as PaymentPickLists;
  for (const { value: cardType } of lists.cardType.entries) {
    if (!lists.cardBin.entries.some((entry) => entry.value.cardType === cardType)) {
      throw new RangeError(`Cannot make numbers of card type "${cardType}": the list cardBin has no prefix for it`);
    }
  }
  return lists;
}

/**
 * One list.
 *
 * @param json In a form that `pickEntries` reads.
 * @throws {RangeError} If it is empty or misshapen. The message tells a value by its place, and does not repeat it.
 */
export function paymentPickList(name: PickListName, json: unknown): PickList<unknown> {
  const entries = pickEntries(json).map(({ value, weight }, index) => {
    const read = shapes[name].safeParse(value);
    if (read.success) return { value: read.data, weight };
    const [issue] = read.error.issues;
    throw new RangeError(
      `Cannot read value ${index + 1} of the list ${name}: ${[...(issue?.path ?? []), issue?.message].join(" ")}`,
    );
  });
  return new PickList(entries);
}
