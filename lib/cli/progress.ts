/** How a job tells how far it is. */

/** How far the work is. */
export interface ProgressState {
  /** What is being done, such as `copying public.orders`. */
  readonly activity: string;
  /** Rows since the activity began. */
  readonly rows: number;
  /** Rows the activity will have handled at its end, where that is known; it gives bar and ETA. */
  readonly totalRows?: number;
  /** What is counted where it is not rows. */
  readonly unit?: "bytes";
  readonly lagBytes?: number;
  readonly lagSeconds?: number;
}

/** Takes what a job tells. Cheap to call per micro-batch. */
export interface Progress {
  /** Says how far the work is; told when it is time. A new activity is told at once. */
  update(state: ProgressState): void;
  /** Tells a sentence of its own. */
  note(text: string): void;
  /** Tells the last state once more: something else is said now. */
  end(): void;
}
