/** Bank accounts and cards: what a holder pays from and is paid to (contracts §1.1). */
import type { Random } from "../random.ts";
import { PickList } from "../pick_list.ts";
import { dayText } from "./calendar.ts";
import { luhnCheckDigit } from "./luhn.ts";
import type { CardBin, Member, PaymentPickLists } from "./pick_lists.ts";

/** An element of `bankAccounts`. */
export interface BankAccount {
  readonly tenantId: string;
  /** Six digits, inside the member's branch range. */
  readonly branchId: string;
  /** `dddd-dddddddddd`, or `<bicFi>-<16 digits>`. */
  readonly accountId: string;
  /** The member's name. */
  readonly entityId: string;
  readonly accountType: string;
  /** `yyyy-MM-dd`. */
  readonly openingDate: string;
  readonly idCode: "RTC10";
}

/** An element of `creditCards`. */
export interface CreditCard {
  /** Luhn-valid, of the length its scheme uses. */
  readonly cardNumber: string;
  readonly cardType: string;
  /** `MM/yy`. */
  readonly expDate: string;
  /** The member's name. */
  readonly issuingBank: string;
  readonly tenantId: string;
}

/** What stands in the `accounts` column. */
export interface HolderAccounts {
  readonly bankAccounts: readonly BankAccount[];
  readonly creditCards: readonly CreditCard[];
}

/** Days until a card made today expires (contracts §1.1). */
const expiryDays = { low: 10, high: 1052 };

/** Makes accounts and cards. */
export class InstrumentGenerator {
  readonly #lists: PaymentPickLists;
  readonly #binsByType: ReadonlyMap<string, PickList<CardBin>>;

  constructor(lists: PaymentPickLists) {
    this.#lists = lists;
    this.#binsByType = new Map(lists.cardType.entries.map(({ value: type }) => {
      const bins = lists.cardBin.filter((bin) => bin.cardType === type);
      if (bins === undefined) throw new RangeError(`Cannot make card numbers of type "${type}": no prefix is known`);
      return [type, bins];
    }));
  }

  /** An account opened between two days (both included). */
  bankAccount(random: Random, opened: { readonly from: number; readonly to: number }): BankAccount {
    const member = this.#lists.member.pick(random);
    return {
      tenantId: member.tenantId,
      branchId: branchOf(random, member),
      accountId: accountIdAt(random, member),
      entityId: member.memberName,
      accountType: this.#lists.accountType.pick(random),
      openingDate: dayText(random.between(opened.from, opened.to)),
      idCode: "RTC10",
    };
  }

  /** A card issued on a day. */
  creditCard(random: Random, today: number): CreditCard {
    const cardType = this.#lists.cardType.pick(random);
    const member = this.#lists.member.pick(random);
    const { prefix, length } = (this.#binsByType.get(cardType) as PickList<CardBin>).pick(random);
    const payload = prefix + random.digits(length - prefix.length - 1);
    const expiry = dayText(today + random.between(expiryDays.low, expiryDays.high));
    return {
      cardNumber: payload + luhnCheckDigit(payload),
      cardType,
      expDate: `${expiry.slice(5, 7)}/${expiry.slice(2, 4)}`,
      issuingBank: member.memberName,
      tenantId: member.tenantId,
    };
  }
}

function branchOf(random: Random, member: Member): string {
  return String(random.between(Number(member.branch_start), Number(member.branch_end))).padStart(6, "0");
}

/** Half the accounts of a member with a BIC carry it; a member without one has the plain form only. */
function accountIdAt(random: Random, { bicFi }: Member): string {
  const plain = bicFi === "" || random.chance(0.5);
  return plain ? `${random.digits(4)}-${random.digits(10)}` : `${bicFi}-${random.digits(16)}`;
}
