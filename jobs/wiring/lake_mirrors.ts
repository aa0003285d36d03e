/** The mirrors of a lake's Iceberg tables: each follows its table beside the batches. */
import { formatPosition } from "../../lib/change/position.ts";
import type { Column } from "../../lib/dataset/column.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { toWeirError, WeirError } from "../../lib/errors.ts";
import { failPoint } from "../../lib/fail_point.ts";
import type { TableCommitter } from "../../lib/sink/table_committer.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { refuseColumns } from "../../lib/table/delta/mirror_description.ts";
import { DeltaMirror } from "../../lib/table/delta/mirror_table.ts";
import type { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { IcebergState } from "../../lib/table/iceberg/state.ts";
import { TableMirror } from "../../lib/table/mirror/table_mirror.ts";
import { PaimonMirror } from "../../lib/table/paimon/mirror_table.ts";
import { refuseReserved } from "../../lib/table/paimon/schema.ts";
import type { TableState } from "../../lib/table/lake_table.ts";
import type { TableMirrors, UpkeepPolicy } from "../../lib/table/upkeep.ts";
import type { MirrorTable } from "../../lib/table/published_table.ts";

/** A format that can show an Iceberg table. */
export type MirrorFormat = "delta" | "paimon";

/** What {@linkcode LakeMirrors} works with. */
export interface LakeMirrorOptions {
  readonly storage: Storage;
  readonly connection: Connection;
  readonly formats: readonly MirrorFormat[];
  /** How long versions of mirrors can be read, milliseconds. */
  readonly keepMs: number;
  /** Told of what failed, once for each reason; it is tried again, and batches go on. */
  readonly onTrouble: (table: string, error: WeirError) => void;
}

/** What a mirror shows. */
export interface MirrorStand {
  readonly format: MirrorFormat;
  readonly namespace: string;
  readonly name: string;
  readonly location: string;
  /** Of its primary. */
  readonly snapshotId?: bigint;
  readonly position?: string;
}

const allFormats: readonly MirrorFormat[] = ["delta", "paimon"];

/** Where a table's mirrors are. */
type MirrorPlace = Pick<LakeMirrorOptions, "storage" | "connection" | "keepMs">;

function targetOf(format: MirrorFormat, { namespace, name }: IcebergTable, place: MirrorPlace): MirrorTable {
  const { storage, connection, keepMs } = place;
  if (format === "paimon") return new PaimonMirror({ storage, folder: "paimon", namespace, name, keepMs });
  return new DeltaMirror({ storage, connection, folder: `delta/${namespace}/${name}`, namespace, name, keepMs });
}

/** The mirrors that a table says it has, for its upkeep by a process that does not write it. */
export class DeclaredMirrors implements TableMirrors {
  readonly #primary: IcebergTable;
  readonly #mirrors: ReadonlyMap<string, TableMirror>;

  constructor(
    primary: IcebergTable,
    options: MirrorPlace & { readonly onTrouble: (format: string, error: WeirError) => void },
  ) {
    this.#primary = primary;
    const onTrouble = ({ format }: MirrorTable, error: WeirError) => options.onTrouble(format, error);
    this.#mirrors = new Map(allFormats.map((format) => {
      const targets = [targetOf(format, primary, options)];
      return [format, new TableMirror({ ...options, primary, targets, onTrouble })];
    }));
  }

  async expire(policy: UpkeepPolicy, nowMs: number): Promise<void> {
    for (const mirror of await this.#declared()) await mirror.expire(policy, nowMs);
  }

  async keepFrom(state: TableState, policy: UpkeepPolicy, nowMs: number): Promise<bigint | null> {
    const found = new Set<bigint>();
    for (const mirror of await this.#declared()) {
      const id = await mirror.keepFrom(state, policy, nowMs);
      if (id !== null) found.add(id);
    }
    const history = await this.#primary.history(state as IcebergState);
    return history.find(({ id }) => found.has(id))?.id ?? null;
  }

  async referenced(): Promise<ReadonlySet<string>> {
    const paths = new Set<string>();
    for (const mirror of await this.#declared()) for (const path of await mirror.referenced()) paths.add(path);
    return paths;
  }

  async #declared(): Promise<readonly TableMirror[]> {
    const state = await this.#primary.load();
    return state === undefined
      ? []
      : this.#primary.mirroredAs(state).flatMap((format) => this.#mirrors.get(format) ?? []);
  }
}

/** The mirrors of every Iceberg table that is written. */
export class LakeMirrors {
  readonly #options: LakeMirrorOptions;
  readonly #followed: FollowedTable[] = [];
  readonly #told = new Map<string, string>();
  #isBegun = false;

  constructor(options: LakeMirrorOptions) {
    this.#options = options;
  }

  /** The mirrors of a table. Throws `configuration` for columns that one of the formats cannot hold. */
  of(
    primary: IcebergTable,
    by: { readonly committer: TableCommitter; readonly columns: readonly Column[] },
  ): FollowedTable | undefined {
    const { formats } = this.#options;
    if (formats.includes("delta")) refuseColumns(primary, by.columns);
    if (formats.includes("paimon")) refuseReserved(primary, by.columns);
    const targets = allFormats.map((format) => targetOf(format, primary, this.#options));
    const followed = new FollowedTable({
      primary,
      committer: by.committer,
      targets: targets.filter(({ format }) => formats.some((wanted) => wanted === format)),
      others: targets.filter(({ format }) => !formats.some((wanted) => wanted === format)),
      storage: this.#options.storage,
      connection: this.#options.connection,
      onTrouble: (format, error) => this.#tell(`the ${format} mirror of ${primary.namespace}.${primary.name}`, error),
    });
    this.#followed.push(followed);
    return followed;
  }

  /**
   * Goes after tables that are there already. Throws `precondition` for a table with a mirror that nobody asks for any more, or that
   * is written where a mirror is asked for.
   */
  async begin(): Promise<void> {
    for (const followed of this.#followed) await followed.begin();
    this.#isBegun = true;
  }

  /** Waits until what the mirrors go after has been reached. */
  async settled(): Promise<void> {
    for (const { table } of this.#followed) await table?.settled();
  }

  /** Waits until every mirror has come as far as it can. To be called once nothing is written any more. */
  async close(): Promise<void> {
    // What was refused must not be said in the tables after all.
    if (!this.#isBegun) return;
    for (const followed of this.#followed) await followed.close();
  }

  /** What every mirror shows. */
  async stands(): Promise<readonly MirrorStand[]> {
    return (await Promise.all(this.#followed.map((followed) => followed.stands()))).flat();
  }

  #tell(mirror: string, error: WeirError): void {
    if (this.#told.get(mirror) === error.message) return;
    this.#told.set(mirror, error.message);
    this.#options.onTrouble(mirror, error);
  }
}

interface FollowedOptions {
  readonly primary: IcebergTable;
  readonly committer: TableCommitter;
  readonly targets: readonly MirrorTable[];
  /** Mirrors that nobody asks for. */
  readonly others: readonly MirrorTable[];
  readonly storage: Storage;
  readonly connection: Connection;
  readonly onTrouble: (format: string, error: WeirError) => void;
}

/** One table and its mirrors. */
export class FollowedTable {
  /** For the table's upkeep; undefined where nobody shows it. */
  readonly table: TableMirror | undefined;
  readonly #options: FollowedOptions;
  #isDeclared = false;

  constructor(options: FollowedOptions) {
    this.#options = options;
    const onTrouble = ({ format }: MirrorTable, error: WeirError) => options.onTrouble(format, error);
    this.table = options.targets.length === 0 ? undefined : new TableMirror({ ...options, onTrouble });
  }

  async begin(): Promise<void> {
    for (const target of this.#options.targets) {
      // Other trouble is the mirror's own, and tried again with it.
      await target.load().catch((thrown) => {
        if (isWrittenInstead(thrown)) throw thrown;
      });
    }
    const state = await this.#state();
    if (state === undefined) return;
    if (this.table !== undefined) this.#refuseKept(state);
    await this.#refuseForgotten(state);
    // What was removed with its folder is shown no more, and its files need not stay.
    if (this.table === undefined && this.#options.primary.mirroredAs(state).length > 0) await this.#declare();
    await this.turn();
  }

  /** The writer's turn: to be called after a commit, while no other is under way. Throws nothing. */
  async turn(): Promise<void> {
    if (this.table === undefined) return;
    try {
      if (!this.#isDeclared) await this.#declare();
      const state = await this.#state();
      if (state !== undefined) this.table.follow(state);
    } catch (thrown) {
      this.#options.onTrouble(this.table.formats.join(" and "), toWeirError(thrown, "internal"));
    }
  }

  async close(): Promise<void> {
    await this.turn();
    await this.table?.settled();
  }

  async stands(): Promise<readonly MirrorStand[]> {
    const { namespace, name } = this.#options.primary;
    const stands: MirrorStand[] = [];
    for (const target of this.#options.targets) {
      const { snapshotId, position } = await target.load().catch(() => undefined) ?? {};
      stands.push({
        ...{ format: target.format as MirrorFormat, namespace, name, location: target.location },
        ...(snapshotId === undefined ? {} : { snapshotId }),
        ...(position === undefined ? {} : { position: formatPosition(position) }),
      });
    }
    return stands;
  }

  /** Says in the table itself who shows it, before anybody does: other makers' expiry and our own go by it. */
  async #declare(): Promise<void> {
    const { primary, committer, targets } = this.#options;
    const formats = targets.map(({ format }) => format).sort();
    await failPoint("mirror.beforeDeclaration");
    const isSaid = (state: IcebergState) => primary.mirroredAs(state).join() === formats.join();
    await committer.settle({
      attempt: async (found) => {
        const state = found as IcebergState;
        if (isSaid(state)) return undefined;
        this.#refuseKept(state);
        return await primary.setMirroredAs(state, formats);
      },
      arrived: (state) => isSaid(state as IcebergState),
    });
    this.#isDeclared = true;
  }

  /** Who keeps a table's past removes its files by rules of their own, and knows of no mirror. */
  #refuseKept(state: IcebergState): void {
    const { primary } = this.#options;
    if (!primary.isKeptByOthers(state)) return;
    const table = `${primary.namespace}.${primary.name}`;
    throw new WeirError(
      "precondition",
      `Cannot mirror ${table}: it says gc.enabled is false, so others keep its past`,
      {
        detail: { table, path: primary.location },
        advice: "Leave --mirror out and write the other formats with --formats, or take that property from the table",
      },
    );
  }

  /** A mirror that stands still keeps its files from being removed for ever; its reader would not know. */
  async #refuseForgotten(state: IcebergState): Promise<void> {
    const { primary, others } = this.#options;
    const declared = primary.mirroredAs(state);
    const table = `${primary.namespace}.${primary.name}`;
    for (const other of others.filter(({ format }) => declared.includes(format))) {
      const found = await other.load().catch((thrown) => {
        if (!isWrittenInstead(thrown)) throw thrown;
      });
      if (found === undefined) continue;
      throw new WeirError(
        "precondition",
        `Table ${table} is shown as ${other.format} too, but --mirror does not say so`,
        {
          detail: { table, path: other.location },
          advice: `Add ${other.format} to --mirror, or remove that mirror's folder`,
        },
      );
    }
  }

  async #state(): Promise<IcebergState | undefined> {
    return await this.#options.committer.current() as IcebergState | undefined;
  }
}

/** Whether a mirror could not be loaded because a table that is written stands in its place. */
function isWrittenInstead(thrown: unknown): boolean {
  return thrown instanceof WeirError && thrown.kind === "precondition";
}
