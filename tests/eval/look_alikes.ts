/**
 * Payments of rings, planted among generated ones: in the night, payment after payment of nearly the same amount from one holder's
 * card or account to the accounts of a ring. Rings follow a few patterns, so that those of the test look like those of the training
 * without sharing a holder, an account or an amount with them. Nothing in one column gives them away: everything that occurs in a
 * ring's payments occurs in the others as often.
 */
import { Random } from "../../lib/domain/random.ts";
import type { RowValue, SourceRow } from "../../lib/domain/payments/rows.ts";

/** Rows, and which of them belong to a ring. */
export interface PlantedPayments {
  readonly rows: readonly SourceRow[];
  readonly labels: readonly boolean[];
}

/** How much is planted. */
export interface RingOptions {
  readonly seed: number;
  /** Decides the patterns: the same for training and test. */
  readonly patternSeed: number;
  readonly patterns: number;
  readonly ringsPerPattern: number;
  readonly paymentsPerRing: number;
}

/** A way in which rings work: the sides they use, of payments that there are, and about how much they send. */
interface Pattern {
  readonly payer: SourceRow;
  readonly payee: SourceRow;
  readonly cents: number;
  readonly eventType: RowValue;
  readonly clearing: RowValue;
}

const ringHours = { from: 1, to: 4 };
/** Amounts of a ring differ by this share at most, those of rings of one pattern by this one. */
const amountSpread = { ring: 0.02, pattern: 0.15 };

/** Puts rings' payments at random places among others. Patterns are drawn from `models`, so that training and test share them. */
export function plantRings(
  payments: readonly SourceRow[],
  { models, ...options }: RingOptions & { readonly models: readonly SourceRow[] },
): PlantedPayments {
  const random = new Random(options.seed, "rings");
  const planted = patternsOf(models, options).flatMap((pattern) =>
    Array.from(
      { length: options.ringsPerPattern },
      () => ringOf(pattern, { random, size: options.paymentsPerRing, payments }),
    )
      .flat()
  );
  const all = [
    ...payments.map((row) => ({ row, label: false })),
    ...planted.map((row) => ({ row, label: true })),
  ];
  for (let place = all.length - 1; place > 0; place--) {
    const other = random.below(place + 1);
    [all[place], all[other]] = [all[other]!, all[place]!];
  }
  return { rows: all.map(({ row }) => row), labels: all.map(({ label }) => label) };
}

function patternsOf(models: readonly SourceRow[], { patternSeed, patterns }: RingOptions): readonly Pattern[] {
  const random = new Random(patternSeed, "patterns");
  return Array.from({ length: patterns }, () => ({
    payer: models[random.below(models.length)]!,
    payee: models[random.below(models.length)]!,
    cents: random.between(300_000, 4_000_000),
    eventType: models[random.below(models.length)]!["eventtype"]!,
    clearing: models[random.below(models.length)]!["settlementclearingsystemcode"]!,
  }));
}

/** One night of one ring. Each payment takes another payment's references, and the numbers of its accounts are its own. */
function ringOf(
  pattern: Pattern,
  { random, size, payments }: {
    readonly random: Random;
    readonly size: number;
    readonly payments: readonly SourceRow[];
  },
): readonly SourceRow[] {
  const night = Date.UTC(2026, 0, 1) + random.below(365) * 86_400_000;
  const cents = near(pattern.cents, amountSpread.pattern, random);
  const payer = renumbered(String(pattern.payer["accountholderaccount"]), random);
  return Array.from({ length: size }, () => {
    const time = new Date(night + random.between(ringHours.from * 3_600_000, ringHours.to * 3_600_000)).toISOString();
    const base = payments[random.below(payments.length)]!;
    const amount = JSON.parse(String(base["amount"]));
    return {
      ...base,
      direction: "outbound",
      eventtime: time,
      creationdate: time.slice(0, 19),
      eventtype: pattern.eventType,
      settlementclearingsystemcode: pattern.clearing,
      accountholderaccount: payer,
      counterpartyaccount: renumbered(String(pattern.payee["counterpartyaccount"]), random),
      amount: JSON.stringify({ ...amount, value: near(cents, amountSpread.ring, random) / 100 }),
    };
  });
}

function near(cents: number, spread: number, random: Random): number {
  return Math.round(cents * (1 + spread * (2 * random.fraction() - 1)));
}

/** The same kind of account at the same bank, of somebody else. */
function renumbered(instrument: string, random: Random): string {
  const held = JSON.parse(instrument);
  const key = "cardNumber" in held ? "cardNumber" : "accountId";
  return JSON.stringify({ ...held, [key]: String(held[key]).replaceAll(/\d/g, () => random.digits(1)) });
}
