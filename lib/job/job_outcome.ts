/** What jobs end with, as their `--json` has it. */

/** Of any job. */
export interface JobOutcome {
  /** Real success: nothing failed, nothing differs. */
  readonly ok: boolean;
  readonly [name: string]: unknown;
}

/** A lake table as a capturing job left it. 64-bit integers beyond 2^53 are texts. */
export interface TableOutcome {
  readonly format: string;
  readonly namespace: string;
  readonly name: string;
  readonly location: string;
  readonly snapshotId: number | string | null;
  readonly rows: number | string | null;
  readonly position: string | null;
}

/** A lake table held against its source: rows that are missing, too many, and other than there. */
export interface ComparisonOutcome {
  readonly table: string;
  readonly format: string;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
}

/** Of `pipeline` and `capture`. */
export interface CaptureJobOutcome extends JobOutcome {
  readonly tables: readonly TableOutcome[];
  /** Empty where the job was stopped. */
  readonly verification: readonly ComparisonOutcome[];
  /** Source rows that were carried into the lake. */
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly deadLetters: number;
  readonly durationMs: number;
}

/** Of `verify`. */
export interface VerifyJobOutcome extends JobOutcome {
  readonly tables: readonly (ComparisonOutcome & {
    /** Rows of the lake table. */
    readonly rows: number;
    /** Where lake and source were compared. */
    readonly position: string | null;
    /** Why they were not. */
    readonly notCompared: string | null;
  })[];
}

/** Of `maintain`. */
export interface MaintainJobOutcome extends JobOutcome {
  readonly tables: readonly {
    readonly table: string;
    readonly format: string;
    readonly plan: { readonly liveFiles: number; readonly liveBytes: number } | null;
    /** Null with `--dry-run`. */
    readonly work: {
      readonly mergedFiles: number;
      readonly expiredSnapshots: number;
      readonly removedFiles: number;
      readonly liveFiles: number;
    } | null;
  }[];
}

interface JobOutcomes {
  readonly pipeline: CaptureJobOutcome;
  readonly capture: CaptureJobOutcome;
  readonly verify: VerifyJobOutcome;
  readonly maintain: MaintainJobOutcome;
}

/** What a job of this name ends with. */
export type OutcomeOf<Name extends string> = Name extends keyof JobOutcomes ? JobOutcomes[Name] : JobOutcome;
