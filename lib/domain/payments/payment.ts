/**
 * Payments, and the two legs each of them is stored as (contracts §1.2).
 *
 * Promise: a payment is a function of seed, clock, settings, lists, pool and the id of its first leg; event and transaction ids ascend.
 */
import { Random } from "../random.ts";
import { UuidV7Sequence } from "../uuid_v7.ts";
import { dayOf, dayText } from "./calendar.ts";
import { convertCents, formatDecimal, rateScale } from "./money.ts";
import type { Party } from "./party.ts";
import type { PartyPool } from "./party_pool.ts";
import type { PaymentPickLists } from "./pick_lists.ts";
import type { PaymentSettings } from "./settings.ts";

/** What both legs of a payment share. */
export interface Payment {
  /** `_id` of the outbound leg; the inbound leg has the next. */
  readonly firstLegId: bigint;
  readonly transactionId: string;
  readonly outboundEventId: string;
  readonly inboundEventId: string;
  readonly payer: Party;
  readonly payee: Party;
  /** Unix milliseconds. */
  readonly eventTimeMs: number;
  readonly eventType: string;
  readonly messageType: string;
  readonly settlementClearingSystemCode: string;
  /** Nine digits. */
  readonly clearingReference: string;
  /** `yyyy-MM-dd`, today to three days ahead. */
  readonly requestExecutionDate: string;
  /** `yyyy-MM-dd`, today to seven days ahead, not before the execution date. */
  readonly settlementDate: string;
  readonly destinationCountry: string;
  readonly amount: Amount;
}

/** Money in both currencies: `valueCents = round(baseCents × rate)`. */
export interface Amount {
  readonly baseCurrency: string;
  readonly baseCents: bigint;
  readonly rateMillionths: bigint;
  readonly currency: string;
  readonly valueCents: bigint;
}

/** What payments are made from. */
export interface PaymentGeneratorOptions {
  readonly seed: number;
  readonly settings: PaymentSettings;
  readonly lists: PaymentPickLists;
  readonly pool: PartyPool;
  /** Unix milliseconds, read once per payment. */
  readonly clock: () => number;
}

const executionDaysMax = 3;
const settlementDaysMax = 7;

/** Makes payments. */
export class PaymentGenerator {
  readonly #options: PaymentGeneratorOptions;
  readonly #random: Random;
  readonly #ids = new UuidV7Sequence();

  constructor(options: PaymentGeneratorOptions) {
    this.#options = options;
    this.#random = new Random(options.seed, "payment");
  }

  /** The next payment. Its draws follow from `firstLegId`, so that a run that goes on behind a stored maximum draws others. */
  payment(firstLegId: bigint): Payment {
    const { clock, lists, pool, settings } = this.#options;
    const random = this.#random.seek(Number(firstLegId));
    const eventTimeMs = clock();
    const today = dayOf(eventTimeMs);
    const executionDays = random.between(0, executionDaysMax);
    const { payer, payee } = pool.pair(random);
    return {
      firstLegId,
      transactionId: this.#ids.next(random, eventTimeMs),
      outboundEventId: this.#ids.next(random, eventTimeMs),
      inboundEventId: this.#ids.next(random, eventTimeMs),
      payer,
      payee,
      eventTimeMs,
      eventType: lists.eventType.pick(random),
      messageType: lists.messageType.pick(random),
      settlementClearingSystemCode: lists.settlementClearingSystemCode.pick(random),
      clearingReference: random.digits(9),
      requestExecutionDate: dayText(today + executionDays),
      settlementDate: dayText(today + random.between(executionDays, settlementDaysMax)),
      destinationCountry: settings.destinationCountry,
      amount: this.#amount(random),
    };
  }

  #amount(random: Random): Amount {
    const { amountHighCents, amountLowCents, baseCurrency, currency, rateMillionths } = this.#options.settings;
    const baseCents = amountLowCents + BigInt(random.below(Number(amountHighCents - amountLowCents) + 1));
    return { baseCurrency, baseCents, rateMillionths, currency, valueCents: convertCents(baseCents, rateMillionths) };
  }
}

/** The JSON text of the `amount` column; numbers keep their two digits. */
export function amountJson(amount: Amount): string {
  const rate = formatDecimal(amount.rateMillionths, rateScale).replace(/\.?0+$/, "");
  return `{"baseCurrency":"${amount.baseCurrency}","baseValue":${formatDecimal(amount.baseCents, 2)},"roe":${rate},` +
    `"currency":"${amount.currency}","value":${formatDecimal(amount.valueCents, 2)}}`;
}
