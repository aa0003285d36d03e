/** From a catalogue table to a dataset contract, and what stands in the way. */
import { sameType } from "../../dataset/column_type.ts";
import type { Column } from "../../dataset/column.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import { identifier } from "../../engine/quote.ts";
import type { CatalogueTable } from "./catalogue.ts";
import { lakeNames } from "./lake_names.ts";
import { lakeType } from "./source_type.ts";

/** Something that must be put right before capture can start. */
export interface Problem {
  readonly problem: string;
  /** The statement or step that puts it right. */
  readonly remedy: string;
}

/** A table's name for SQL. */
export function qualifiedName(table: { readonly namespace: string; readonly name: string }): string {
  return `${identifier(table.namespace)}.${identifier(table.name)}`;
}

/**
 * Names of the columns by which the source tells rows apart in updates and deletes: the primary key, or the index of the
 * replica identity. With replica identity full any unique index over columns that are never NULL will do; without one, one of
 * several equal rows cannot be told from another, so the table is refused. Undefined: there is none.
 */
export function keyOf(table: CatalogueTable): readonly string[] | undefined {
  switch (table.replicaIdentity) {
    case "d":
      return table.keys.find((key) => key.isPrimary)?.columns;
    case "i":
      return table.keys.find((key) => key.isReplicaIdentity)?.columns;
    case "f":
      return table.keys[0]?.columns;
    default:
      return undefined;
  }
}

/**
 * The contract of a table nobody declared. Columns outside the key are nullable whatever the source says, because a value the
 * lake cannot hold becomes NULL.
 */
export function inferDataset(table: CatalogueTable): Dataset {
  const key = keyOf(table) ?? [];
  const names = lakeNames(table.columns.map(({ name }) => name));
  return {
    namespace: table.namespace,
    name: table.name,
    source: { namespace: table.namespace, table: table.name },
    columns: table.columns.map(({ name, sourceType }, index) => ({
      ...lakeNamed(name, names[index] ?? name),
      type: lakeType(sourceType).type,
      nullable: !key.includes(name),
    })),
    key: key.map((name) => names[table.columns.findIndex((column) => column.name === name)] ?? name),
  };
}

/** A column's name in the lake, and the source's where that is another. */
export function lakeNamed(name: string, held: string): Pick<Column, "name" | "sourceName"> {
  return held === name ? { name } : { name: held, sourceName: name };
}

/** A declared contract with the columns the source has now: what it does not declare is captured too. */
export function completeDataset(declared: Dataset, table: CatalogueTable): Dataset {
  const inferred = inferDataset(table);
  const columns = inferred.columns.map((column): Column => {
    const known = declared.columns.find((candidate) => sourceColumn(candidate, inferred.columns) === column);
    if (known === undefined) return { ...column, nullable: true };
    const { sourceName: _, ...declaration } = known;
    return { ...declaration, ...lakeNamed(column.sourceName ?? column.name, column.name) };
  });
  return { ...declared, columns };
}

/** The source's column for a declared one: of its name, else of one of its aliases. */
function sourceColumn<Named extends { readonly name: string }>(
  declared: Column,
  columns: readonly Named[],
): Named | undefined {
  const aliases = (declared.aliases ?? []).map((alias) => alias.toLowerCase());
  return columns.find(({ name }) => name === declared.name) ??
    columns.find(({ name }) => aliases.includes(name.toLowerCase()));
}

/** What keeps a table from being captured exactly by a user. */
export function tableProblems(
  table: CatalogueTable,
  options: { readonly user: string; readonly declared?: Dataset | undefined },
): readonly Problem[] {
  const name = qualifiedName(table);
  const user = identifier(options.user);
  const problems: Problem[] = [];
  const add = (problem: string, remedy: string) => problems.push({ problem: `${name} ${problem}`, remedy });
  if (table.kind !== "r" && table.kind !== "p") add("is not a table", "name tables only");
  if (table.persistence !== "p") add("is unlogged or temporary", `ALTER TABLE ${name} SET LOGGED`);
  if (!table.maySelect) {
    add(
      "may not be read",
      `GRANT USAGE ON SCHEMA ${identifier(table.namespace)} TO ${user}; GRANT SELECT ON ${name} TO ${user}`,
    );
  }
  const hidden = table.leaves.filter((leaf) => !leaf.maySelect).map((leaf) => leaf.name);
  // Its partitions are read one by one.
  if (hidden.length > 0) {
    add("has table partitions that may not be read", `GRANT SELECT ON ${hidden.join(", ")} TO ${user}`);
  }
  const unlogged = table.leaves.filter((leaf) => !leaf.isLogged);
  if (unlogged.length > 0) {
    add("has unlogged table partitions", unlogged.map((leaf) => `ALTER TABLE ${leaf.name} SET LOGGED`).join("; "));
  }
  const { namespace, name: held } = options.declared ?? table;
  if (![namespace, held].every(isFolderName)) {
    add("has a name that no folder of the lake can have: with / in it, or . or ..", "rename it");
  }
  if (table.rowSecurity) add("has row security, which hides rows from this user", `ALTER ROLE ${user} BYPASSRLS`);
  const key = keyOf(table);
  if (key === undefined) return [...problems, ...missingKey(table, name)];
  const contract = options.declared === undefined ? [] : contractProblems(table, options.declared, key);
  return [...problems, ...keyProblems(table, key), ...contract];
}

/** A slash would put a table's files into another's folder, where upkeep takes them for leftovers of that one. */
function isFolderName(name: string): boolean {
  return !name.includes("/") && name !== "." && name !== "..";
}

/** No table format tells rows apart by a list. */
function keyProblems(table: CatalogueTable, key: readonly string[]): readonly Problem[] {
  const lists = table.columns.filter(({ name, sourceType }) =>
    key.includes(name) && lakeType(sourceType).type.kind === "list"
  );
  return lists.map(({ name }) => ({
    problem: `${qualifiedName(table)} names its rows by column ${identifier(name)}, which is an array`,
    remedy: `give it another unique index, and ALTER TABLE ${qualifiedName(table)} REPLICA IDENTITY USING INDEX …`,
  }));
}

function missingKey(table: CatalogueTable, name: string): readonly Problem[] {
  const because = (problem: string, remedy: string) => [{ problem: `${name} ${problem}`, remedy }];
  if (table.replicaIdentity === "n") {
    return because(
      "has replica identity nothing: updates and deletes are not sent",
      `ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`,
    );
  }
  const [index] = table.keys;
  if (index !== undefined) {
    return because(
      "has no primary key, but a unique index that can serve",
      `ALTER TABLE ${name} REPLICA IDENTITY USING INDEX ${identifier(index.name)}`,
    );
  }
  if (table.keyIsDeferred) {
    return because(
      "has a primary key that can be deferred, so that it does not tell rows apart at every moment",
      `ALTER TABLE ${name} DROP CONSTRAINT …, ADD PRIMARY KEY (…)`,
    );
  }
  return because("has no key by which rows can be told apart", `ALTER TABLE ${name} ADD PRIMARY KEY (…)`);
}

function contractProblems(table: CatalogueTable, declared: Dataset, key: readonly string[]): readonly Problem[] {
  const name = qualifiedName(table);
  const remedy = "make the table what its dataset declares, or capture it as it is with the job capture";
  const problems: Problem[] = [];
  if ([...key].sort().join() !== [...declared.key].sort().join()) {
    problems.push({
      problem: `${name} names its rows by (${key.join(", ")}), its dataset by (${declared.key.join(", ")})`,
      remedy,
    });
  }
  for (const column of declared.columns) {
    const found = sourceColumn(column, table.columns);
    if (found === undefined) problems.push({ problem: `${name} has no column "${column.name}"`, remedy });
    else if (!sameType(lakeType(found.sourceType).type, column.type)) {
      problems.push({ problem: `${name} has another type than its dataset in column "${column.name}"`, remedy });
    }
  }
  return problems;
}
