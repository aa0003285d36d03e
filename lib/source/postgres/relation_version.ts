/**
 * One version of a table's columns, and the way from one version to the next.
 *
 * Promise: a step is derived only where the catalogue proves it. A rename needs the same attribute number on both sides; what
 * changed rows without row events (a default filled in, `ALTER … TYPE … USING`, a renamed enum value), or may have, asks for
 * a new copy.
 *
 * Two things the catalogue cannot tell apart, so that both ask for one: a plain widening of a type, which rewrites the table
 * and changes no value, from one whose USING clause computes new values (a widening that needs no rewrite changes none); and
 * a partition that was truncated from one under VACUUM FULL or CLUSTER. VACUUM FULL and CLUSTER of a table that is not
 * partitioned change its file and no column, and ask for nothing.
 */
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { type ColumnType, sameType, widens } from "../../dataset/column_type.ts";
import type { CatalogueColumn, CatalogueLeaf, CatalogueTable } from "./catalogue.ts";
import { lakeNames } from "./lake_names.ts";
import type { RelationMessage } from "./pgoutput.ts";
import type { TypeForm } from "./type_forms.ts";
import { lakeType, type SourceType } from "./source_type.ts";
import { lakeNamed } from "./source_table.ts";
import type { ListText } from "./special_values.ts";

/** A column in one version. */
export interface VersionColumn {
  /** In the lake. */
  readonly name: string;
  /** At the source, where it is another there. */
  readonly sourceName?: string;
  readonly type: ColumnType;
  readonly listText?: ListText;
  /** Undefined where the catalogue has moved on and the number cannot be told for certain. */
  readonly attributeNumber?: number;
  /** Transaction that last changed the definition (see `CatalogueColumn.changedBy`). */
  readonly changedBy?: string;
  readonly filledIn: boolean;
}

/** A version of a table. */
export interface RelationVersion {
  readonly oid: number;
  /** `namespace.table` under which the table is captured. */
  readonly source: string;
  readonly fileNode: string;
  /** Of a partitioned table. Their rows come and go with them, without row events. */
  readonly leaves: readonly CatalogueLeaf[];
  /** What the texts of its columns' own types depend on. */
  readonly typeForms: readonly TypeForm[];
  readonly columns: readonly VersionColumn[];
  readonly key: readonly string[];
}

/** Why a table is copied again whose rows are named by other columns. */
export const keyChangedReason = "the key changed";

/** How a table is captured. */
export interface CapturedAs {
  readonly source: string;
  readonly key: readonly string[];
}

/** What lies between two versions. */
export interface VersionStep {
  readonly schemaChanges: readonly SchemaChange[];
  readonly recopyReason?: string;
}

/** The version a catalogue shows; `table.columns` are the captured ones. */
export function versionOfTable(table: CatalogueTable, captured: CapturedAs): RelationVersion {
  const names = lakeNames(table.columns.map(({ name }) => name));
  const columns = table.columns.map((column, index) =>
    versionColumn(lakeNamed(column.name, names[index] ?? column.name), column.sourceType, column)
  );
  const { oid, fileNode, leaves, typeForms } = table;
  return { oid, fileNode, leaves, typeForms, columns, ...captured };
}

/** What is known beside a Relation message. */
export interface RelationContext {
  readonly table: CatalogueTable;
  /** The types of the message's columns. */
  readonly sourceTypes: readonly SourceType[];
  readonly captured: CapturedAs;
  /** The version before. */
  readonly before: RelationVersion | undefined;
}

/**
 * The version a Relation message stands for. The message is as old as the changes being read, the catalogue is of now:
 * where the two do not agree, what the version before knew of a column is believed rather than what became of it later.
 */
export function versionOfMessage(message: RelationMessage, context: RelationContext): RelationVersion {
  const { table, before, captured } = context;
  const candidates = catalogueCandidates(message, table);
  const isCurrent = candidates.length === message.columns.length && message.columns.every((column, index) => {
    const now = candidates[index];
    return now?.name === column.name && now.typeOid === column.typeOid && now.typeModifier === column.typeModifier;
  });
  const matched = matchColumns(message, { table, candidates });
  const names = lakeNames(message.columns.map(({ name }) => name));
  const columns = message.columns.map((column, index) => {
    const sourceType = context.sourceTypes[index];
    if (sourceType === undefined) throw new RangeError("Cannot make a version: a type is missing");
    const named = lakeNamed(column.name, names[index] ?? column.name);
    const made = versionColumn(named, sourceType, matched[index]);
    return isCurrent ? made : asBefore(made, before);
  });
  const fileNode = isCurrent ? table.fileNode : before?.fileNode ?? table.fileNode;
  const { leaves, typeForms } = table;
  return { oid: message.oid, fileNode, leaves, typeForms, columns, ...captured };
}

/** A column that the version before knows too keeps what was known of it; a new type is of now. */
function asBefore(column: VersionColumn, before: RelationVersion | undefined): VersionColumn {
  const known = before?.columns.find((candidate) => candidate.name === column.name);
  if (known === undefined) return column;
  return sameType(known.type, column.type) ? known : {
    ...column,
    ...(known.attributeNumber === undefined ? {} : { attributeNumber: known.attributeNumber }),
  };
}

function versionColumn(
  named: Pick<VersionColumn, "name" | "sourceName">,
  source: SourceType,
  found: CatalogueColumn | undefined,
): VersionColumn {
  const { type, listText } = lakeType(source);
  return {
    ...named,
    type,
    ...(listText === undefined ? {} : { listText }),
    ...(found === undefined ? {} : { attributeNumber: found.attributeNumber, changedBy: found.changedBy }),
    filledIn: found?.filledIn ?? false,
  };
}

function catalogueCandidates(message: RelationMessage, table: CatalogueTable): readonly CatalogueColumn[] {
  const names = new Set(message.columns.map((column) => column.name));
  return table.columns.filter((column) => column.generated === "" || names.has(column.name));
}

/**
 * Catalogue columns for a message's columns. Both stand in attribute order. While no column was ever dropped, the n-th of
 * one is the n-th of the other, whatever the names; otherwise names decide, as long as they keep that order.
 */
function matchColumns(
  message: RelationMessage,
  known: { readonly table: CatalogueTable; readonly candidates: readonly CatalogueColumn[] },
): readonly (CatalogueColumn | undefined)[] {
  const { table, candidates } = known;
  if (!table.hasDropped && message.columns.length <= candidates.length) {
    return message.columns.map((_, index) => candidates[index]);
  }
  const byName = message.columns.map((column) => candidates.find((candidate) => candidate.name === column.name));
  let last = 0;
  for (const column of byName) {
    if (column !== undefined && column.attributeNumber < last) return message.columns.map(() => undefined);
    last = column?.attributeNumber ?? last;
  }
  return byName;
}

/**
 * The step from one version to the next. Drops come first, then renames and widenings, then new columns. `fileNodeNow` is the
 * catalogue's: a rewrite that filled a new column or widened one may be older than the version shows.
 */
export function stepBetween(
  before: RelationVersion,
  after: RelationVersion,
  fileNodeNow = after.fileNode,
): VersionStep {
  if (before.oid !== after.oid) return { schemaChanges: [], recopyReason: "the table was dropped and made again" };
  const pairs = pairColumns(before, after);
  const rewritten = { inStep: before.fileNode !== after.fileNode, byNow: before.fileNode !== fileNodeNow };
  const plan = new StepPlan();
  for (const old of before.columns) if (!pairs.has(old)) plan.drop(old);
  for (const [old, now] of pairs) plan.keep(old, now, rewritten);
  const kept = new Set(pairs.values());
  for (const now of after.columns) if (!kept.has(now)) plan.add(now, rewritten.byNow);
  plan.checkKey(before, after, pairs);
  plan.checkLeaves(before.leaves, after.leaves);
  plan.checkTypeForms(before.typeForms, after.typeForms);
  return plan.finish(before);
}

function pairColumns(before: RelationVersion, after: RelationVersion): Map<VersionColumn, VersionColumn> {
  const pairs = new Map<VersionColumn, VersionColumn>();
  for (const now of after.columns) {
    const old = before.columns.find((candidate) =>
      candidate.attributeNumber === undefined || now.attributeNumber === undefined
        ? candidate.name === now.name
        : candidate.attributeNumber === now.attributeNumber
    );
    if (old !== undefined && !pairs.has(old)) pairs.set(old, now);
  }
  return pairs;
}

/** Collects a step. */
class StepPlan {
  readonly #drops: VersionColumn[] = [];
  readonly #adds: VersionColumn[] = [];
  readonly #renames: { from: string; to: string }[] = [];
  readonly #widenings: { name: string; type: ColumnType }[] = [];
  #reason: string | undefined;

  drop(column: VersionColumn): void {
    this.#drops.push(column);
  }

  keep(
    old: VersionColumn,
    now: VersionColumn,
    rewritten: { readonly inStep: boolean; readonly byNow: boolean },
  ): void {
    if (!sameType(old.type, now.type)) {
      if (!widens(old.type, now.type)) {
        this.#reason ??= `the type of column "${now.name}" changed`;
        this.#drops.push(old);
        this.#adds.push(now);
        return;
      }
      this.#widenings.push({ name: now.name, type: now.type });
      if (rewritten.byNow) {
        this.#reason ??=
          `column "${now.name}" was rewritten with a wider type, and whether a USING clause changed its ` +
          "values cannot be told";
      }
    } else if (rewritten.inStep && old.changedBy !== now.changedBy) {
      this.#reason ??= `column "${now.name}" was rewritten`;
    }
    if (old.name !== now.name) this.#renames.push({ from: old.name, to: now.name });
  }

  add(column: VersionColumn, rewritten: boolean): void {
    this.#adds.push(column);
    if (column.filledIn || rewritten) this.#reason ??= `column "${column.name}" was added with a default`;
  }

  checkKey(before: RelationVersion, after: RelationVersion, pairs: ReadonlyMap<VersionColumn, VersionColumn>): void {
    const named = (version: RelationVersion, name: string) => version.columns.find((column) => column.name === name);
    const same = before.key.length === after.key.length && before.key.every((name, index) => {
      const old = named(before, name);
      return old !== undefined && pairs.get(old) === named(after, after.key[index] ?? "");
    });
    if (!same) this.#reason ??= keyChangedReason;
  }

  /** The stream says nothing of a partition that is truncated, detached, dropped, or attached with rows. */
  checkLeaves(before: readonly CatalogueLeaf[], after: readonly CatalogueLeaf[]): void {
    for (const old of before) {
      const now = after.find((leaf) => leaf.oid === old.oid);
      if (now === undefined) this.#reason ??= "a partition was detached or dropped";
      else if (now.fileNode !== old.fileNode) {
        this.#reason ??= "a partition was truncated or rewritten; VACUUM FULL and CLUSTER cannot be told from that";
      }
    }
    const attached = after.some((leaf) => !leaf.madeInPlace && !before.some((old) => old.oid === leaf.oid));
    if (attached) this.#reason ??= "a table was attached as a partition";
    if (after.some((leaf) => !leaf.isLogged)) this.#reason ??= "a partition is unlogged";
  }

  /** Rows that nobody touched have another text then. What only one side knows came with a column or a new enum value. */
  checkTypeForms(before: readonly TypeForm[], after: readonly TypeForm[]): void {
    const changed = after.find((form) => before.some((old) => old.oid === form.oid && old.form !== form.form));
    if (changed === undefined) return;
    const what = changed.kind === "enum" ? "a value of an enum type was renamed" : "a composite type got other fields";
    this.#reason ??= `${what}, which changes the text of rows that nobody touched`;
  }

  finish(before: RelationVersion): VersionStep {
    const unproven = [...this.#drops, ...this.#adds].some((column) => column.attributeNumber === undefined);
    if (this.#drops.length > 0 && this.#adds.length > 0 && unproven) {
      this.#reason ??= "columns went and came, and whether one was renamed cannot be proven";
    }
    for (const dropped of this.#drops) {
      if (this.#adds.some((added) => added.name === dropped.name)) {
        this.#reason ??= `column "${dropped.name}" was dropped and added again`;
      }
    }
    const renames = this.#orderedRenames(before);
    const schemaChanges: SchemaChange[] = [
      ...this.#drops.map((column) => ({ kind: "dropColumn", name: column.name }) as const),
      ...renames,
      ...this.#widenings.map(({ name, type }) => ({ kind: "widenColumn", name, type }) as const),
      ...this.#adds.map(({ name, sourceName, type }) => {
        const named = lakeNamed(sourceName ?? name, name);
        return { kind: "addColumn", column: { ...named, type, nullable: true } } as const;
      }),
    ];
    return { schemaChanges, ...(this.#reason === undefined ? {} : { recopyReason: this.#reason }) };
  }

  /** A rename waits until its new name is free; names that go round in a circle cannot be told one by one. */
  #orderedRenames(before: RelationVersion): readonly SchemaChange[] {
    const used = new Set(before.columns.map((column) => column.name));
    for (const column of this.#drops) used.delete(column.name);
    const ordered: SchemaChange[] = [];
    let waiting = this.#renames;
    for (let free = true; free && waiting.length > 0;) {
      const ready = waiting.filter((rename) => !used.has(rename.to));
      free = ready.length > 0;
      for (const { from, to } of ready) {
        used.delete(from);
        used.add(to);
        ordered.push({ kind: "renameColumn", from, to });
      }
      waiting = waiting.filter((rename) => !ready.includes(rename));
    }
    if (waiting.length > 0) this.#reason ??= "columns exchanged their names";
    return ordered;
  }
}
