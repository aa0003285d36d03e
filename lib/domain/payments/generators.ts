/**
 * The payments generators put together: the one call that notebooks, tests and jobs start from.
 *
 * Promise: pure and seeded. Same seed, clock, settings and lists give the same records, byte for byte.
 */
import { Random } from "../random.ts";
import { AccountHolderGenerator } from "./account_holder.ts";
import { loadNamePools } from "./name_pools.ts";
import { PartyPool } from "./party_pool.ts";
import { PaymentGenerator } from "./payment.ts";
import { type PaymentPickLists, paymentPickLists } from "./pick_lists.ts";
import { type PaymentSettings, paymentSettings } from "./settings.ts";

/** What the generators are made from. */
export interface PaymentGeneratorsOptions {
  /** Any safe integer. */
  readonly seed: number;
  /** Unix milliseconds, read once per record. */
  readonly clock: () => number;
  /** Default: those of an empty environment. */
  readonly settings?: PaymentSettings;
  /** Default: the committed lists. */
  readonly lists?: PaymentPickLists;
}

/** The generators of one seed. */
export interface PaymentGenerators {
  readonly settings: PaymentSettings;
  readonly holders: AccountHolderGenerator;
  /** Whoever is offered to the pool takes part in payments. */
  readonly pool: PartyPool;
  readonly payments: PaymentGenerator;
}

/**
 * Makes the generators.
 *
 * @throws {RangeError} If settings and lists do not fit together.
 *
 * @example
 * ```ts
 * import { paymentGenerators } from "./generators.ts";
 * import { paymentRows } from "./rows.ts";
 * import assert from "node:assert/strict";
 *
 * const { holders, pool, payments } = await paymentGenerators({ seed: 1, clock: () => Date.UTC(2026, 0, 1) });
 * for (let id = 1n; id <= 10n; id++) pool.offer(holders.holder(id));
 * const [outbound, inbound] = paymentRows(payments.payment(1n));
 * assert.equal(outbound.transactionid, inbound.transactionid);
 * assert.notEqual(outbound.eventid, inbound.eventid);
 * ```
 */
export async function paymentGenerators(options: PaymentGeneratorsOptions): Promise<PaymentGenerators> {
  const { seed, clock } = options;
  const settings = options.settings ?? paymentSettings();
  const lists = options.lists ?? paymentPickLists();
  const names = await loadNamePools(settings.countryCode, { languageCode: settings.languageCode, seed });
  const pool = new PartyPool(lists, { random: new Random(seed, "party pool") });
  return {
    settings,
    pool,
    holders: new AccountHolderGenerator({ seed, clock, settings, lists, names }),
    payments: new PaymentGenerator({ seed, clock, settings, lists, pool }),
  };
}
