/**
 * Churn among account holders: what happens to whom, planned from the seed before a database is asked.
 *
 * Promise: a plan follows from seed, ordinal and the range of ids alone. Payments keep naming holders that are gone;
 * nothing in the contract ties them.
 */
import { Random } from "../random.ts";
import { PickList } from "../pick_list.ts";
import type { AccountHolder, AccountHolderGenerator } from "./account_holder.ts";

/** What can happen to a holder. */
export type HolderChangeKind =
  | "insert"
  | "address"
  | "email"
  | "children"
  | "addAccount"
  | "removeAccount"
  | "addCard"
  | "delete"
  | "keyChange";

/** One change. `near` stands for the first holder at or after that id, because ids get holes. */
export type HolderChange =
  | { readonly kind: "insert"; readonly holder: AccountHolder }
  | { readonly kind: "address"; readonly near: bigint; readonly value: string }
  | { readonly kind: "email"; readonly near: bigint; readonly value: string }
  | { readonly kind: "children"; readonly near: bigint; readonly value: string }
  | { readonly kind: "addAccount"; readonly near: bigint; readonly value: string }
  | { readonly kind: "addCard"; readonly near: bigint; readonly value: string }
  | { readonly kind: "removeAccount"; readonly near: bigint }
  | { readonly kind: "delete"; readonly near: bigint }
  | { readonly kind: "keyChange"; readonly near: bigint; readonly newId: bigint };

/** How often what happens. Inserts outweigh deletes, so that holders do not die out. */
export const holderChangeWeights: PickList<HolderChangeKind> = new PickList([
  { value: "insert", weight: 12 },
  { value: "address", weight: 22 },
  { value: "email", weight: 15 },
  { value: "children", weight: 10 },
  { value: "addAccount", weight: 11 },
  { value: "removeAccount", weight: 7 },
  { value: "addCard", weight: 5 },
  { value: "delete", weight: 10 },
  { value: "keyChange", weight: 8 },
]);

/** What plans are made from. */
export interface HolderChangePlannerOptions {
  readonly seed: number;
  readonly holders: AccountHolderGenerator;
  /** Default: {@linkcode holderChangeWeights}. */
  readonly weights?: PickList<HolderChangeKind>;
}

/** The ids a plan may touch and make. */
export interface HolderIdRange {
  readonly low: bigint;
  readonly high: bigint;
  /** Gives an id that no holder ever had. */
  readonly newId: () => bigint;
}

/** Plans changes. */
export class HolderChangePlanner {
  readonly #random: Random;
  readonly #holders: AccountHolderGenerator;
  readonly #weights: PickList<HolderChangeKind>;

  constructor(options: HolderChangePlannerOptions) {
    this.#random = new Random(options.seed, "holder change");
    this.#holders = options.holders;
    this.#weights = options.weights ?? holderChangeWeights;
  }

  /** The change of an ordinal. Existing holders come with equal chances, as far as their ids lie evenly. */
  change(ordinal: bigint, ids: HolderIdRange): HolderChange {
    const random = this.#random.seek(Number(ordinal));
    const kind = this.#weights.pick(random);
    if (kind === "insert") return { kind, holder: this.#holders.holder(ids.newId()) };
    const near = ids.low + BigInt(Math.floor(random.fraction() * Number(ids.high - ids.low + 1n)));
    if (kind === "keyChange") return { kind, near, newId: ids.newId() };
    if (kind === "delete" || kind === "removeAccount") return { kind, near };
    return { kind, near, value: this.#value(kind, random) };
  }

  #value(kind: "address" | "email" | "children" | "addAccount" | "addCard", random: Random): string {
    switch (kind) {
      case "address":
        return JSON.stringify(this.#holders.address(random));
      case "email":
        return this.#holders.emailAddress(random);
      case "children":
        return String(random.between(0, 5));
      case "addAccount":
        return JSON.stringify(this.#holders.newInstrument(random, "bankAccounts"));
      case "addCard":
        return JSON.stringify(this.#holders.newInstrument(random, "creditCards"));
    }
  }
}
