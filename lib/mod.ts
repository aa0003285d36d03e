/**
 * The public face of Weir for notebooks and programs of users: what is in a lake, without a server, and what a job would write next.
 *
 * A relative `lake` counts from the working directory, which for a notebook is its own folder. What a cell ends with is shown: a
 * result, a chart, the lake itself.
 *
 * @example
 * ```ts
 * import { openLake } from "./mod.ts";
 * import { withTemporaryFolder } from "./testing/temporary_folder.ts";
 * import assert from "node:assert/strict";
 *
 * await withTemporaryFolder(async (folder) => {
 *   await using lake = await openLake({ lake: folder });
 *   const [row] = await (await lake.sql`SELECT ${"Ann"} AS name`).rows();
 *   assert.deepEqual(row, { name: "Ann" });
 * });
 * ```
 */
export { formatPosition, parsePosition, type Position } from "./change/position.ts";
export { declareJob, type Job, type JobContext, type JobResult } from "./cli/run_job.ts";
export type { Dataset } from "./dataset/dataset.ts";
export { accountHolders } from "./domain/payments/account_holders.ts";
export { type PaymentGenerators, paymentGenerators } from "./domain/payments/generators.ts";
export { type PaymentPickLists, paymentPickLists } from "./domain/payments/pick_lists.ts";
export { transactions } from "./domain/payments/transactions.ts";
export { createEmbedder } from "./embed/create_embedder.ts";
export type { Embedder } from "./embed/embedder.ts";
export { datasetText, embedTextFrom, type TextDeclaration } from "./embed/text_declaration.ts";
export { type ErrorKind, WeirError } from "./errors.ts";
export type { JobFlags } from "./job/job_flags.ts";
export type { CaptureJobOutcome, JobOutcome, MaintainJobOutcome, VerifyJobOutcome } from "./job/job_outcome.ts";
export type { JobNote, JobState, JobStep } from "./job/job_step.ts";
export type { JobTrial } from "./job/job_trial.ts";
export { startJob, type StartJobOptions } from "./job/start_job.ts";
export type { StartedJob } from "./job/started_job.ts";
export type { TriedSettings } from "./job/tried_settings.ts";
export { tryJob, type TryJobOptions } from "./job/try_job.ts";
export { type Chart, type ChartOptions, type ChartSpec, plot } from "./notebook/chart.ts";
export type { EmbedRowsOptions } from "./notebook/embedded_rows.ts";
export { type ChangesOptions, Lake, openLake, type OpenLakeOptions } from "./notebook/lake.ts";
export type { LakeMoment, TableMoment } from "./notebook/lake_point.ts";
export type { TableInLake } from "./notebook/lake_table.ts";
export type { PlainRow, PlainValue } from "./notebook/plain_value.ts";
export { QueryResult, type ResultColumn, type RowsOptions } from "./notebook/query_result.ts";
export type { SimilarRowsOptions } from "./notebook/similar_rows.ts";
export { identifier, type InSql, sql, SqlPart } from "./notebook/sql_part.ts";
export type { VectorMapOptions } from "./notebook/vector_map.ts";
export { watch } from "./notebook/watch.ts";
export { openSource, type OpenSourceOptions } from "./pull/open_source.ts";
export type { PulledBatch, PulledSource, PullOptions } from "./pull/pulled_source.ts";
export type { RowKey } from "./query/changes.ts";
/** Makers of a job's settings: `setting.integer({ flag: "most", … })`. */
export * as setting from "./settings/kinds.ts";
export { RestCatalog } from "./table/iceberg/rest/rest_catalog.ts";
