/** One Delta table for the tests of its format, and its log. */
import { type Action, formatActions, parseActions } from "../table/delta/actions.ts";
import { DeltaTable, type DeltaTableOptions } from "../table/delta/delta_table.ts";
import { propertyNames } from "../table/delta/properties.ts";
import { cards, TableLake } from "./table_lake.ts";
import { type DatabaseFixture, withDatabase } from "./temporary.ts";

/** Options of a table that has a checkpoint every so many commits. */
export function checkpointEvery(commits: number): Pick<DeltaTableOptions, "properties"> {
  return { properties: { [propertyNames.checkpointInterval]: String(commits) } };
}

/** A lake with one table. */
export class DeltaLake extends TableLake<DeltaTable> {
  readonly #options: Partial<DeltaTableOptions>;

  constructor(fixture: DatabaseFixture, options: Partial<DeltaTableOptions>) {
    super(fixture, { folder: "delta/bank/cards", definition: cards, text: "id || ' ' || name" });
    this.#options = options;
  }

  override open(options: Partial<DeltaTableOptions> = {}): DeltaTable {
    return new DeltaTable({ ...this.place, folder: this.folder, ...this.#options, ...options });
  }

  /** Path of a version in the log. */
  log(version: number, suffix = "json"): string {
    return `${this.folder}/_delta_log/${String(version).padStart(20, "0")}.${suffix}`;
  }

  /** The actions of a version. */
  async actions(version: number): Promise<readonly Action[]> {
    return parseActions(new TextDecoder().decode((await this.storage.read(this.log(version)))!));
  }

  /** Commits as another writer would. */
  async foreign(version: number, actions: readonly Action[]): Promise<void> {
    await this.storage.putIfAbsent(this.log(version), new TextEncoder().encode(formatActions(actions)));
  }

  /** Sets properties of the table as another writer would. */
  async setProperties(version: number, properties: Readonly<Record<string, string>>): Promise<void> {
    const { metadata } = (await this.open().load())!;
    await this.foreign(version, [{
      metaData: { ...metadata, configuration: { ...metadata.configuration, ...properties } },
    }]);
  }
}

/** A test body on an empty lake. */
export function onDeltaLake(
  body: (lake: DeltaLake) => Promise<void>,
  options: Partial<DeltaTableOptions> = {},
): () => Promise<void> {
  return () => withDatabase((fixture) => body(new DeltaLake(fixture, options)));
}
