/** What the demo shows, as it is known at a moment. */

/** One lake table. */
export interface TableFigures {
  /** Without its namespace. */
  readonly name: string;
  readonly format: string;
  readonly rows: bigint;
  /** Everything in its folder: data, metadata, and what is kept for readers of older snapshots. */
  readonly files: number;
  readonly bytes: number;
  /** Since the demo began. */
  readonly commits: number;
}

/** One payment. What is personal of it is masked already. */
export interface ShownPayment {
  /** UTC, as `11-23 09:05:59`. */
  readonly time: string;
  readonly kind: string;
  readonly amount: string;
  /** What pays, and of which bank: `Visa, Nedbank`. */
  readonly from: string;
  readonly to: string;
  /** Account or card that pays. */
  readonly account: string;
}

/** A payment near to the newest, from 1 for the same direction down. */
export interface SimilarPayment extends ShownPayment {
  readonly similarity: number;
}

/** All of it. */
export interface DemoFigures {
  /** Formats that are written. */
  readonly formats: readonly string[];
  /** What is being done, such as `capturing`. */
  readonly activity: string;
  /** Whether the user has asked for the end. */
  readonly isStopping: boolean;
  readonly elapsedSeconds: number;
  /** Source rows that were carried into the lake. */
  readonly rows: number;
  /** Rows a second, one value for each second, the newest last. */
  readonly rates: readonly number[];
  readonly lagBytes: number | undefined;
  readonly lagSeconds: number | undefined;
  readonly tables: readonly TableFigures[];
  /** The newest first. */
  readonly payments: readonly ShownPayment[];
  /** Earlier ones that are most similar to the newest, the nearest first. */
  readonly similar: readonly SimilarPayment[];
  /** Said since the demo began, the newest last. */
  readonly notes: readonly string[];
}

/** Those of a demo that has only begun. */
export const firstFigures = {
  activity: "starting",
  isStopping: false,
  rows: 0,
  rates: [],
  lagBytes: undefined,
  lagSeconds: undefined,
  tables: [],
  payments: [],
  similar: [],
  notes: [],
} as const satisfies Omit<DemoFigures, "formats" | "elapsedSeconds">;
