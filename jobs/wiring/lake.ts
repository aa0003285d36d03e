/** The lake as the jobs write it: one place, one engine, one writing process, and the sinks of a table in each format. */
import { join, resolve } from "node:path";
import type { Sink } from "../../lib/change/sink.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { Database } from "../../lib/engine/database.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import { RestTable } from "../../lib/table/iceberg/rest/rest_table.ts";
import type { LakeTable } from "../../lib/table/lake_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { PlaceSettings } from "./capture_settings.ts";
import { type LakePlace, openPlace, placeName } from "./lake_place.ts";

/** Settings of a lake. */
export interface LakeOptions {
  readonly place: PlaceSettings;
  /** Folder of run-time state, shared by all lakes. */
  readonly stateFolder: string;
  readonly formats: readonly LakeTable["format"][];
  readonly icebergVersion: 2 | 3;
  /** Keeps the versions of Iceberg tables. Undefined: files beside them do. */
  readonly icebergCatalog?: RestCatalog | undefined;
  readonly deltaDeletes: "vectors" | "rewrite";
  readonly memoryLimitBytes: number;
  readonly threads: number;
}

/** An open lake. Disposing gives it back. */
export class Lake implements AsyncDisposable {
  /** This lake's own folder for spool files and what does not fit into memory. */
  readonly stateFolder: string;
  readonly storage: Storage;
  readonly connection: Connection;
  /** The connection and one beside it: an initial copy keeps two cores at work. */
  readonly copyConnections: readonly Connection[];
  readonly #options: LakeOptions;
  readonly #database: Database;
  readonly #place: LakePlace;
  /** One per format: the formats of a table are written at the same time. */
  readonly #connections: ReadonlyMap<string, Connection>;

  private constructor(options: LakeOptions, parts: LakeParts) {
    this.#options = options;
    this.stateFolder = stateFolderOf(options);
    this.storage = parts.place.storage;
    this.connection = parts.connection;
    this.copyConnections = [parts.connection, parts.copyConnection];
    this.#database = parts.database;
    this.#place = parts.place;
    this.#connections = parts.connections;
  }

  /** Takes the lake for this process and opens the engine over it. Throws what {@linkcode openPlace} throws. */
  static async open(options: LakeOptions): Promise<Lake> {
    await using open = new AsyncDisposableStack();
    const stateFolder = stateFolderOf(options);
    const place = open.use(await openPlace(options.place, stateFolder));
    const temporaryFolder = join(stateFolder, "engine");
    await Deno.remove(temporaryFolder, { recursive: true }).catch(ignoreMissing);
    await Deno.mkdir(temporaryFolder, { recursive: true });
    const database = open.adopt(
      await Database.open({
        folders: [...place.folders, stateFolder],
        temporaryFolder,
        memoryLimitBytes: options.memoryLimitBytes,
        threads: options.threads,
      }),
      (opened) => opened.close(),
    );
    const connections = new Map<string, Connection>();
    for (const format of options.formats) connections.set(format, await database.connect());
    const [connection, copyConnection] = [await database.connect(), await database.connect()];
    open.move();
    return new Lake(options, { database, place, connection, copyConnection, connections });
  }

  /** A connection beside the pipeline's own. */
  connect(): Promise<Connection> {
    return this.#database.connect();
  }

  /** One sink per format for a table. */
  sinksFor(definition: TableDefinition): readonly Sink[] {
    const { storage } = this;
    const { namespace, name } = definition;
    return this.#options.formats.map((format) => {
      const connection = this.#connections.get(format) ?? this.connection;
      if (format === "paimon") {
        return new LakeSink(
          new PaimonTable({ storage, connection, folder: "paimon", namespace, name, commitUser: "weir" }),
        );
      }
      const folder = `${format}/${namespace}/${name}`;
      if (format === "delta") {
        const deletes = this.#options.deltaDeletes;
        return new LakeSink(new DeltaTable({ storage, connection, folder, namespace, name, deletes }));
      }
      const { icebergVersion, icebergCatalog } = this.#options;
      const formatVersion = definition.key.length === 0 ? 2 : icebergVersion;
      const at = { storage, connection, folder, namespace, name, formatVersion };
      if (icebergCatalog === undefined) return new LakeSink(new IcebergTable(at));
      const catalog = new RestTable({ catalog: icebergCatalog, storage, namespace, name });
      return new LakeSink(new IcebergTable({ ...at, catalog }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of [...this.copyConnections, ...this.#connections.values()]) connection.close();
    this.#database.close();
    await this.#place[Symbol.asyncDispose]();
  }
}

interface LakeParts {
  readonly database: Database;
  readonly place: LakePlace;
  readonly connection: Connection;
  readonly copyConnection: Connection;
  readonly connections: ReadonlyMap<string, Connection>;
}

/** A folder of its own per lake: two lakes may be filled at the same time. */
function stateFolderOf(options: LakeOptions): string {
  return join(resolve(options.stateFolder), "capture", lakeId(options.place.lake));
}

/** Eight hex digits that stand for a lake's place (FNV-1a). */
export function lakeId(lake: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(placeName(lake))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

function ignoreMissing(thrown: unknown): void {
  if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
}
