/** Who takes part in payments: a bounded sample of the holders, so that memory does not grow with their number. */
import type { Random } from "../random.ts";
import { type Party, PartyMaker, type PayingHolder } from "./party.ts";
import type { PaymentPickLists } from "./pick_lists.ts";

/** Holders kept by default; at about 2 KB each. */
export const poolHoldersMax = 20_000;

/** How often a payee is drawn again because it was the payer, before giving up. */
const drawsMax = 1000;

/** A pool of parties, filled by reservoir sampling (Vitter's algorithm R): every holder seen has the same chance. */
export class PartyPool {
  readonly #maker: PartyMaker;
  readonly #random: Random;
  readonly #holders: (readonly Party[])[] = [];
  readonly #holdersMax: number;
  #seen = 0;

  /** @param options.random Decides who stays; seeded like everything else. */
  constructor(lists: PaymentPickLists, options: { readonly random: Random; readonly holdersMax?: number }) {
    this.#maker = new PartyMaker(lists);
    this.#random = options.random;
    this.#holdersMax = options.holdersMax ?? poolHoldersMax;
  }

  /** Holders that can be drawn. */
  get size(): number {
    return this.#holders.length;
  }

  /** Offers a holder. One without any account or card is passed over. */
  offer(holder: PayingHolder): void {
    const { bankAccounts, creditCards } = holder.accounts;
    if (bankAccounts.length + creditCards.length === 0) return;
    const place = this.#seen < this.#holdersMax ? this.#seen : this.#random.seek(this.#seen).below(this.#seen + 1);
    this.#seen++;
    if (place < this.#holdersMax) this.#holders[place] = this.#maker.parties(holder);
  }

  /**
   * Draws two parties with different national ids.
   *
   * @throws {RangeError} If the pool holds fewer than two holders, or only holders with one and the same national id.
   */
  pair(random: Random): { readonly payer: Party; readonly payee: Party } {
    const payer = random.element(random.element(this.#holders));
    for (let draw = 0; draw < drawsMax; draw++) {
      const payee = random.element(random.element(this.#holders));
      if (payee.nationalId !== payer.nationalId) return { payer, payee };
    }
    throw new RangeError("Cannot make payments: at least two account holders are needed");
  }
}
