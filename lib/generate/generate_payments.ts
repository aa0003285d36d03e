/** The generator in one call, for scripts and tests that need filled tables and nothing else. */
import { PaymentsWriter } from "./payments_writer.ts";
import type { GeneratedCounts, LoadOptions, PaymentsWriterOptions, StreamOptions } from "./payments_writer_options.ts";

/** What {@linkcode generatePayments} writes. */
export interface GeneratePaymentsOptions extends PaymentsWriterOptions, LoadOptions {
  /** Changes among the account holders after the load. Default 0. */
  readonly changes?: number;
}

/**
 * Creates the tables where they are missing, loads holders and payments behind the stored maximum, then changes holders.
 *
 * Throws what {@linkcode PaymentsWriter.open} throws.
 */
export async function generatePayments(options: GeneratePaymentsOptions): Promise<GeneratedCounts> {
  await using writer = await PaymentsWriter.open(options);
  await writer.load(options);
  return await writer.churn({ ...options, changes: options.changes ?? 0 });
}

/**
 * Streams payments and changes into tables that hold at least two account holders, until `payments` are written or the
 * signal is aborted.
 *
 * Throws what {@linkcode PaymentsWriter.open} throws.
 */
export async function streamPayments(options: PaymentsWriterOptions & StreamOptions): Promise<GeneratedCounts> {
  await using writer = await PaymentsWriter.open(options);
  return await writer.stream(options);
}
