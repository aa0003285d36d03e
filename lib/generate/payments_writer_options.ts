/** What a payments writer is made from, what it can be asked for, and what it counts. */
import type { HolderChangeKind } from "../domain/payments/holder_change.ts";
import type { PaymentPickLists } from "../domain/payments/pick_lists.ts";
import type { PaymentSettings } from "../domain/payments/settings.ts";
import type { PickList } from "../domain/pick_list.ts";

/** What a writer is made from. */
export interface PaymentsWriterOptions {
  /** Connection string of a user who may create and fill the tables. */
  readonly url: string;
  /** Any safe integer. Default 1. */
  readonly seed?: number;
  /** Unix milliseconds. Default `Date.now`. */
  readonly clock?: () => number;
  readonly settings?: PaymentSettings;
  readonly lists?: PaymentPickLists;
  /** How often which change happens to account holders. Default: `holderChangeWeights`. */
  readonly churnWeights?: PickList<HolderChangeKind>;
}

/** Rows written since the writer was opened. */
export interface GeneratedCounts {
  readonly holders: number;
  /** Rows of `transactions`: two a payment. */
  readonly paymentRows: number;
  readonly updated: number;
  readonly deleted: number;
  readonly keyChanged: number;
}

/** What every kind of writing takes. */
export interface WritingOptions {
  /** Stops after the batch in hand. Nothing is thrown; the counts say how far it came. */
  readonly signal?: AbortSignal;
  /** Called after each source commit. */
  readonly onProgress?: (counts: GeneratedCounts) => void;
}

/** What {@linkcode PaymentsWriter.load} writes. */
export interface LoadOptions extends WritingOptions {
  readonly holders: number;
  /** Payments; each is two rows. */
  readonly payments: number;
  /** Days back from now over which the payments' event times lie evenly. Default 7. */
  readonly historyDays?: number;
}

/** What {@linkcode PaymentsWriter.stream} writes. */
export interface StreamOptions extends WritingOptions {
  /** Payments, each two rows. Default: until the signal is aborted. */
  readonly payments?: number;
  /** Rows of `transactions` per second. Default: as fast as the server takes them. */
  readonly rate?: number;
  /** Changes among account holders per row of `transactions`. Default 0.05. */
  readonly churnShare?: number;
}
