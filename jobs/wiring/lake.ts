/** The lake as the jobs write it: one place, one engine, one writing process, and the sinks of a table in each format. */
import { join, resolve } from "node:path";
import type { Sink } from "../../lib/change/sink.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { Database } from "../../lib/engine/database.ts";
import { datasetsAtOnce } from "../../lib/pipeline/pipeline.ts";
import { TableCommitter } from "../../lib/sink/table_committer.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import type { WeirError } from "../../lib/errors.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import type { LakePlace as ReadLake } from "../../lib/query/lake_tables.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import type { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import type { UpkeepPolicy, UpkeepTable } from "../../lib/table/upkeep.ts";
import { lakeId } from "../../lib/storage/lake_name.ts";
import type { PlaceSettings } from "./capture_settings.ts";
import { keptTable } from "./kept_tables.ts";
import { LakeMirrors, type MirrorFormat } from "./lake_mirrors.ts";
import { ignoreMissing, type LakePlace, openPlace } from "./lake_place.ts";
import { LakeUpkeep } from "./lake_upkeep.ts";

/** Settings of a lake. */
export interface LakeOptions {
  readonly place: PlaceSettings;
  /** Folder of run-time state, shared by all lakes. */
  readonly stateFolder: string;
  readonly formats: readonly TableFolder["format"][];
  /** Folders that the engine may read beside the lake's. Default: none. */
  readonly readFolders?: readonly string[];
  readonly icebergVersion: 2 | 3;
  /** Keeps the versions of Iceberg tables. Undefined: files beside them do. */
  readonly icebergCatalog?: RestCatalog | undefined;
  readonly deltaDeletes: "vectors" | "rewrite";
  /** See `kept_tables.ts`. */
  readonly partitionKeepDays?: number | undefined;
  readonly memoryLimitBytes: number;
  readonly threads: number;
  readonly upkeep: LakeUpkeepPlan;
  /** Formats in which Iceberg tables are shown too. Default: none. */
  readonly mirrors?: readonly MirrorFormat[];
}

/** How tables are kept up, and who hears of trouble with it. */
export interface LakeUpkeepPlan {
  /** Whether it is done beside the batches. */
  readonly isOn: boolean;
  readonly policy: UpkeepPolicy;
  readonly onTrouble: (table: string, error: WeirError) => void;
}

/** An open lake. Disposing gives it back. */
export class Lake implements AsyncDisposable {
  /** This lake's own folder for spool files and what does not fit into memory. */
  readonly stateFolder: string;
  readonly storage: Storage;
  readonly connection: Connection;
  /** The connection and one beside it: a dataset of few rows does not wait for one of many. */
  readonly transformConnections: readonly Connection[];
  /** The connection and another beside it: an initial copy keeps two cores at work. */
  readonly copyConnections: readonly Connection[];
  /** Undefined where tables are only written. */
  readonly upkeep: LakeUpkeep | undefined;
  readonly mirrors: LakeMirrors;
  /** Table commits since this was opened, by the table's location. */
  readonly commits: ReadonlyMap<string, number>;
  readonly #commits = new Map<string, number>();
  readonly #options: LakeOptions;
  readonly #database: Database;
  readonly #place: LakePlace;
  /** By format, as many as datasets are committed at the same time: so are the formats of a table. */
  readonly #connections: ReadonlyMap<string, readonly Connection[]>;
  readonly #upkeepConnection: Connection;
  readonly #mirrorConnection: Connection;

  private constructor(options: LakeOptions, parts: LakeParts) {
    this.#options = options;
    this.stateFolder = stateFolderOf(options);
    this.storage = parts.place.storage;
    this.commits = this.#commits;
    this.connection = parts.connection;
    this.transformConnections = [parts.connection, parts.besideConnection];
    this.copyConnections = [parts.connection, parts.copyConnection];
    this.#database = parts.database;
    this.#place = parts.place;
    this.#connections = parts.connections;
    this.#upkeepConnection = parts.upkeepConnection;
    this.#mirrorConnection = parts.mirrorConnection;
    const upkeep = { ...options.upkeep, storage: this.storage, connection: parts.upkeepConnection };
    this.upkeep = upkeep.isOn ? new LakeUpkeep(upkeep) : undefined;
    this.mirrors = new LakeMirrors({
      storage: this.storage,
      connection: parts.mirrorConnection,
      formats: options.mirrors ?? [],
      keepMs: upkeep.policy.keepSnapshotsMs,
      onTrouble: upkeep.onTrouble,
    });
  }

  /** Takes the lake for this process and opens the engine over it. Throws what {@linkcode openPlace} throws. */
  static async open(options: LakeOptions): Promise<Lake> {
    await using open = new AsyncDisposableStack();
    const stateFolder = stateFolderOf(options);
    const place = open.use(await openPlace(options.place, { stateFolder }));
    const temporaryFolder = join(stateFolder, "engine");
    await Deno.remove(temporaryFolder, { recursive: true }).catch(ignoreMissing);
    await Deno.mkdir(temporaryFolder, { recursive: true });
    const database = open.adopt(
      await Database.open({
        folders: [...place.folders, ...options.readFolders ?? [], stateFolder],
        temporaryFolder,
        memoryLimitBytes: options.memoryLimitBytes,
        threads: options.threads,
      }),
      (opened) => opened.close(),
    );
    const lanes = Array.from({ length: datasetsAtOnce });
    const connections = new Map<string, readonly Connection[]>();
    for (const format of options.formats) {
      connections.set(format, await Promise.all(lanes.map(() => database.connect())));
    }
    const [connection, besideConnection] = [await database.connect(), await database.connect()];
    const copyConnection = await database.connect();
    const [upkeepConnection, mirrorConnection] = [await database.connect(), await database.connect()];
    open.move();
    return new Lake(options, {
      ...{
        database,
        place,
        connection,
        besideConnection,
        copyConnection,
        upkeepConnection,
        mirrorConnection,
        connections,
      },
    });
  }

  /** A connection beside the pipeline's own. */
  connect(): Promise<Connection> {
    return this.#database.connect();
  }

  /** The lake as another reader has it, beside those who write. Its connection is the caller's to close. */
  async reader(): Promise<ReadLake> {
    return { storage: this.storage, connection: await this.connect(), icebergCatalog: this.#options.icebergCatalog };
  }

  /**
   * One sink per format for a table.
   *
   * @param lane The dataset's number: neighbours can be committed at the same time. Default 0.
   */
  sinksFor(definition: TableDefinition, lane = 0): readonly Sink[] {
    return this.#options.formats.map((format) => {
      const table = this.#table({ format, lane }, definition);
      const committer = new TableCommitter(table);
      const mirrors = table instanceof IcebergTable
        ? this.mirrors.of(table, { committer, columns: definition.columns })
        : undefined;
      const upkeep = this.upkeep?.of(table, committer, mirrors?.table);
      const afterCommit = async () => {
        this.#commits.set(table.location, (this.#commits.get(table.location) ?? 0) + 1);
        await upkeep?.turn();
        await mirrors?.turn();
      };
      return new LakeSink(table, { committer, afterCommit });
    });
  }

  #table(
    { format, lane }: { readonly format: TableFolder["format"]; readonly lane: number },
    { namespace, name, key }: TableDefinition,
  ): UpkeepTable {
    const { icebergVersion, icebergCatalog, deltaDeletes, partitionKeepDays, upkeep } = this.#options;
    return keptTable({ format, namespace, name }, {
      storage: this.storage,
      connection: this.#connections.get(format)?.[lane % datasetsAtOnce] ?? this.connection,
      icebergCatalog,
      made: {
        icebergVersion: key.length === 0 ? 2 : icebergVersion,
        deltaDeletes,
        partitionKeepDays,
        keptMs: upkeep.policy.keepSnapshotsMs,
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const own = [this.#upkeepConnection, this.#mirrorConnection];
    const connections = [
      ...new Set([...this.transformConnections, ...this.copyConnections]),
      ...own,
      ...[...this.#connections.values()].flat(),
    ];
    for (const connection of connections) connection.close();
    this.#database.close();
    await this.#place[Symbol.asyncDispose]();
  }
}

interface LakeParts {
  readonly database: Database;
  readonly place: LakePlace;
  readonly connection: Connection;
  readonly besideConnection: Connection;
  readonly copyConnection: Connection;
  readonly upkeepConnection: Connection;
  readonly mirrorConnection: Connection;
  readonly connections: ReadonlyMap<string, readonly Connection[]>;
}

/** A folder of its own per lake: two lakes may be filled at the same time. */
function stateFolderOf(options: LakeOptions): string {
  return join(resolve(options.stateFolder), "capture", lakeId(options.place.lake));
}
