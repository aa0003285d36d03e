/** Where the files of a table lie below its folder (Paimon `FileStorePathFactory`). */

/** Paths of one table, relative to the storage root. */
export interface TableLayout {
  readonly folder: string;
  readonly schemaFolder: string;
  readonly schema: (id: number) => string;
  readonly snapshot: (id: bigint) => string;
  readonly snapshotFolder: string;
  /** Hints to the newest and the oldest snapshot: the only files that are ever replaced. */
  readonly latestHint: string;
  readonly earliestHint: string;
  readonly manifest: (name: string) => string;
  /** A data file, in the folder of its place (`partitioning.ts`). */
  readonly data: (place: { readonly folder: string }, name: string) => string;
  /** Which rows of files are deleted. */
  readonly index: (name: string) => string;
  readonly tag: (name: string) => string;
  readonly tagFolder: string;
  /** A consumer of ours, by which other tools' expiry takes no snapshot away. */
  readonly ownConsumer: string;
  /** Where another writer may keep what we never write. */
  readonly foreign: (kind: ForeignFolder) => string;
}

/** Folders of a table that others write. */
export const foreignFolders = ["branch", "consumer", "index", "statistics", "changelog"] as const;

/** One of {@linkcode foreignFolders}. */
export type ForeignFolder = typeof foreignFolders[number];

/** The layout of `namespace.name` in the warehouse folder `warehouse`. */
export function tableLayout(warehouse: string, table: { namespace: string; name: string }): TableLayout {
  const folder = [warehouse, `${table.namespace}.db`, table.name].filter((part) => part !== "").join("/");
  return {
    folder,
    schemaFolder: `${folder}/schema`,
    schema: (id) => `${folder}/schema/schema-${id}`,
    snapshot: (id) => `${folder}/snapshot/snapshot-${id}`,
    snapshotFolder: `${folder}/snapshot`,
    latestHint: `${folder}/snapshot/LATEST`,
    earliestHint: `${folder}/snapshot/EARLIEST`,
    manifest: (name) => `${folder}/manifest/${name}`,
    data: (place, name) => `${folder}/${place.folder}/${name}`,
    index: (name) => `${folder}/index/${name}`,
    tag: (name) => `${folder}/tag/tag-${name}`,
    tagFolder: `${folder}/tag`,
    ownConsumer: `${folder}/consumer/consumer-weir`,
    foreign: (kind) => `${folder}/${kind}`,
  };
}
