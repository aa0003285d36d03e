/** One Iceberg table whose versions a REST catalog keeps that can be made to fail. */
import type { CommitResult } from "../change/sink.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { LocalStorage } from "../storage/local.ts";
import { IcebergTable } from "../table/iceberg/iceberg_table.ts";
import { RestCatalog } from "../table/iceberg/rest/rest_catalog.ts";
import { RestTable } from "../table/iceberg/rest/rest_table.ts";
import type { IcebergStaged } from "../table/iceberg/stage_commit.ts";
import type { Json } from "./catalog_tables.ts";
import { relationOf } from "./relations.ts";
import { type CatalogCall, type CatalogFault, RestCatalogServer } from "./rest_catalog_server.ts";
import { type DatabaseFixture, withDatabase } from "./temporary.ts";

/** Keyed by two columns that stand in another order. */
export const definition: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["name", "id"],
  columns: [
    { name: "tags", type: types.list(types.string), nullable: true },
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: false },
  ],
};

/** A lake, and a catalog that keeps its one table. */
export class RestScene {
  readonly fixture: DatabaseFixture;
  readonly server: RestCatalogServer;
  readonly storage: LocalStorage;
  /** How long tables that are opened from now on wait for an answer: to be short where none is to come. */
  timeoutMs = 60_000;
  #position = 0;

  constructor(fixture: DatabaseFixture, server: RestCatalogServer) {
    this.fixture = fixture;
    this.server = server;
    this.storage = new LocalStorage(`${fixture.folder}/lake`);
  }

  /** The table as a newly started process opens it. */
  open(storage = this.storage): IcebergTable {
    const { connection } = this.fixture;
    const { namespace, name } = definition;
    const { server: { uri }, timeoutMs } = this;
    const catalog = new RestCatalog({ uri, credentials: { kind: "none" }, timeoutMs, firstWaitMs: 1 });
    return new IcebergTable({
      storage,
      connection,
      folder: "iceberg/bank/holders",
      namespace,
      name,
      catalog: new RestTable({ catalog, storage, namespace, name }),
    });
  }

  /** Rows staged on what the table is now. */
  async staged(table: IcebergTable, ids: readonly number[], of = definition): Promise<IcebergStaged> {
    const state = (await table.load())!;
    const rows = ids.map((id) => ({ id: String(id), name: `'n${id}'` }));
    return table.stage(
      state,
      await table.prepare(state, {
        definition: of,
        schemaChanges: [],
        truncate: false,
        scope: of.key,
        upserts: await relationOf(this.fixture.connection, { definition: of, rows }),
        position: { instance: "test:1/1", offset: `0/${++this.#position}` },
        commitTimeMs: 0,
      }),
    );
  }

  /** Commits rows while the catalog fails once. */
  async commitThrough(
    fault: CatalogFault,
    table: IcebergTable,
  ): Promise<{ result: CommitResult; staged: IcebergStaged }> {
    const staged = await this.staged(table, [7]);
    this.server.plan = once(fault);
    return { result: await table.commit(staged), staged };
  }

  /** Ids of all rows, as a new process reads them. */
  async ids(): Promise<string> {
    const table = this.open();
    using scan = await table.scan((await table.load())!);
    return String(await this.fixture.connection.value(`SELECT string_agg(id, ',' ORDER BY id) FROM (${scan.sql})`));
  }

  /** Changes the table as another client of the catalog. */
  change(...updates: readonly Json[]): void {
    this.server.tables.commit("/bank.holders", { requirements: [], updates });
  }

  /** Every file of the lake. */
  async files(): Promise<string[]> {
    return (await Array.fromAsync(this.storage.list("iceberg"))).map(({ path }) => path);
  }
}

/** Has the next commit fail, and none after it. */
export function once(fault: CatalogFault): (call: CatalogCall) => CatalogFault | undefined {
  let isDone = false;
  return (call) => {
    if (isDone || !RestCatalogServer.isCommit(call)) return undefined;
    isDone = true;
    return fault;
  };
}

/** A test body on an empty catalog. */
export async function onRestCatalog(body: (scene: RestScene) => Promise<void>): Promise<void> {
  await using server = new RestCatalogServer();
  await withDatabase((fixture) => body(new RestScene(fixture, server)));
}

/** Whether files hold what was staged. */
export function present(files: readonly string[], { manifests, manifestList }: IcebergStaged): boolean {
  const paths = [...manifests, manifestList!].map(({ path }) => path);
  return paths.every((path) => files.includes(path));
}
