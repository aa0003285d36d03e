/** One side of a payment: a holder with one bank account or card. */
import type { BankAccount, CreditCard, HolderAccounts } from "./instruments.ts";
import type { Member, PaymentPickLists } from "./pick_lists.ts";

/** A side of a payment. Shared by all payments it takes part in. */
export interface Party {
  readonly nationalId: string;
  /** The bank account or card. */
  readonly instrument: BankAccount | CreditCard;
  /** The instrument as the JSON text of its column, made once. */
  readonly instrumentJson: string;
  /** The bank's `tenantId`. */
  readonly bank: string;
  /** Of an account its branch; of a card, which has none, the first branch of its issuer. */
  readonly branchId: string;
  /** What fits 16 characters: the plain account id, the digits after the BIC, or the card number. */
  readonly number: string;
}

/** A holder who can pay and be paid. */
export interface PayingHolder {
  readonly nationalId: string;
  readonly accounts: HolderAccounts;
}

const numberLength = 16;

/** Makes the parties of holders. */
export class PartyMaker {
  readonly #firstBranches: ReadonlyMap<string, string>;

  constructor(lists: PaymentPickLists) {
    const firstBranches = new Map<string, string>();
    for (const { value: member } of lists.member.entries) setFirst(firstBranches, member);
    this.#firstBranches = firstBranches;
  }

  /** A party for every account and card of a holder. */
  parties(holder: PayingHolder): readonly Party[] {
    const { bankAccounts, creditCards } = holder.accounts;
    return [
      ...bankAccounts.map((account) =>
        this.#party(holder, account, {
          branchId: account.branchId,
          number: account.accountId.length > numberLength
            ? account.accountId.slice(account.accountId.indexOf("-") + 1)
            : account.accountId,
        })
      ),
      ...creditCards.map((card) =>
        this.#party(holder, card, {
          branchId: this.#firstBranches.get(card.tenantId) ?? "",
          number: card.cardNumber,
        })
      ),
    ];
  }

  #party(
    holder: PayingHolder,
    instrument: BankAccount | CreditCard,
    { branchId, number }: { branchId: string; number: string },
  ): Party {
    return {
      nationalId: holder.nationalId,
      instrument,
      instrumentJson: JSON.stringify(instrument),
      bank: instrument.tenantId,
      branchId,
      number,
    };
  }
}

/** A member with several ranges keeps the first of them in list order. */
function setFirst(branches: Map<string, string>, member: Member): void {
  if (!branches.has(member.tenantId)) branches.set(member.tenantId, member.branch_start);
}
