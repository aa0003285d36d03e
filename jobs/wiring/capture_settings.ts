/** The settings that every capturing job has. */
import { bucketSettings } from "../../lib/settings/bucket_settings.ts";
import { catalogSettings } from "../../lib/settings/catalog_settings.ts";
import { settings } from "../../lib/settings/declarations.ts";
import type { SettingValues } from "../../lib/settings/setting.ts";
import { upkeepSettings } from "./upkeep_settings.ts";

/** Where the lake is, and how it is reached there. */
export const placeSettings = {
  lake: settings.lake,
  ...bucketSettings,
};

/** Which model makes the vectors, and how it is had. */
export const modelSettings = {
  model: settings.model,
  modelDtype: settings.modelDtype,
  modelDevice: settings.modelDevice,
  modelPooling: settings.modelPooling,
  modelCache: settings.modelCache,
  vectorCacheBytes: settings.vectorCacheBytes,
  offline: settings.offline,
  hubEndpoint: settings.hubEndpoint,
  hubToken: settings.hubToken,
};

/** Declarations, in the order `--help` shows them. */
export const captureSettings = {
  ...placeSettings,
  formats: settings.formats,
  mirror: settings.mirror,
  icebergVersion: settings.icebergVersion,
  ...catalogSettings,
  deltaDeletes: settings.deltaDeletes,
  partitionBy: settings.partitionBy,
  sortBy: settings.sortBy,
  partitionKeepDays: settings.partitionKeepDays,
  upkeep: settings.upkeep,
  ...upkeepSettings,
  ...modelSettings,
  batchSeconds: settings.batchSeconds,
  batchRows: settings.batchRows,
  follow: settings.follow,
  slot: settings.slot,
  resync: settings.resync,
  teardown: settings.teardown,
  maxValueBytes: settings.maxValueBytes,
  maxRetainedWalBytes: settings.maxRetainedWalBytes,
  deadLetterShare: settings.deadLetterShare,
  memoryLimitBytes: settings.memoryLimitBytes,
  threads: settings.threads,
};

/** Values of {@linkcode catalogSettings}. */
export type CatalogSettings = SettingValues<typeof catalogSettings>;

/** Values of {@linkcode placeSettings}. */
export type PlaceSettings = SettingValues<typeof placeSettings>;

/** Values of {@linkcode modelSettings}. */
export type ModelSettings = SettingValues<typeof modelSettings>;

/** Values of {@linkcode captureSettings}. */
export type CaptureSettings = SettingValues<typeof captureSettings>;

const { follow: _, resync: __, teardown: ___, ...lasting } = captureSettings;

/** Those that a next run would be given again, rather than asked for once. */
export const lastingSettings = lasting;
