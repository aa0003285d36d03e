import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { CatalogueColumn, CatalogueTable } from "./catalogue.ts";
import type { RelationMessage } from "./pgoutput.ts";
import { type RelationVersion, stepBetween, versionOfMessage } from "./relation_version.ts";

const int4 = { name: "int4", builtIn: true, isArray: false, typeModifier: -1, isBase: true };
const captured = { source: "public.t", key: ["id"] };

function version(columns: Readonly<Record<string, number | undefined>>, fileNode = "1"): RelationVersion {
  return {
    oid: 1,
    fileNode,
    leaves: [],
    typeForms: [],
    ...captured,
    columns: Object.entries(columns).map(([name, attributeNumber]) => ({
      name,
      type: types.int32,
      filledIn: false,
      changedBy: "1",
      ...(attributeNumber === undefined ? {} : { attributeNumber }),
    })),
  };
}

function catalogue(columns: Readonly<Record<string, number>>, hasDropped: boolean): CatalogueTable {
  return {
    oid: 1,
    namespace: "public",
    name: "t",
    kind: "r",
    persistence: "p",
    replicaIdentity: "d",
    rowSecurity: false,
    maySelect: true,
    mayAlter: true,
    ancestors: [],
    keyIsDeferred: false,
    fileNode: "1",
    hasDropped,
    keys: [],
    leaves: [],
    typeForms: [],
    columns: Object.entries(columns).map(([name, attributeNumber]): CatalogueColumn => ({
      name,
      attributeNumber,
      typeOid: 23,
      typeModifier: -1,
      notNull: false,
      filledIn: false,
      hasDefault: false,
      generated: "",
      changedBy: "1",
      sourceType: int4,
    })),
  };
}

function numbersOf(
  names: readonly string[],
  known: { readonly table: CatalogueTable; readonly before?: RelationVersion },
): readonly (number | undefined)[] {
  const message: RelationMessage = {
    oid: 1,
    namespace: "public",
    table: "t",
    replicaIdentity: "d",
    columns: names.map((name) => ({ name, typeOid: 23, typeModifier: -1, inIdentity: name === "id" })),
  };
  const { table, before } = known;
  return versionOfMessage(message, { table, before, captured, sourceTypes: names.map(() => int4) })
    .columns.map((column) => column.attributeNumber);
}

Deno.test("a rename is believed when the attribute number agrees", () => {
  const step = stepBetween(version({ id: 1, a: 2 }), version({ id: 1, b: 2 }));
  assert.deepEqual(step, { schemaChanges: [{ kind: "renameColumn", from: "a", to: "b" }] });
});

Deno.test("a rename that cannot be proven is a drop, an add and a new copy", () => {
  const step = stepBetween(version({ id: 1, a: 2 }), version({ id: 1, b: undefined }));
  assert.deepEqual(step.schemaChanges.map((change) => change.kind), ["dropColumn", "addColumn"]);
  assert.match(step.recopyReason ?? "", /cannot be proven/);
});

Deno.test("a drop and an add with numbers of their own need no new copy", () => {
  const step = stepBetween(version({ id: 1, a: 2 }), version({ id: 1, b: 3 }));
  assert.deepEqual(step.schemaChanges.map((change) => change.kind), ["dropColumn", "addColumn"]);
  assert.equal(step.recopyReason, undefined);
});

Deno.test("a chain of renames frees each name before it is taken", () => {
  const step = stepBetween(version({ id: 1, a: 2, b: 3 }), version({ id: 1, b: 2, c: 3 }));
  assert.deepEqual(step.schemaChanges, [
    { kind: "renameColumn", from: "b", to: "c" },
    { kind: "renameColumn", from: "a", to: "b" },
  ]);
  assert.equal(step.recopyReason, undefined);
});

Deno.test("columns that exchange their names ask for a new copy", () => {
  assert.match(
    stepBetween(version({ id: 1, a: 2, b: 3 }), version({ id: 1, b: 2, a: 3 })).recopyReason ?? "",
    /exchanged/,
  );
});

Deno.test("a key column keeps the key through its rename", () => {
  const after = { ...version({ number: 1, a: 2 }), key: ["number"] };
  assert.equal(stepBetween(version({ id: 1, a: 2 }), after).recopyReason, undefined);
});

Deno.test("a catalogue that has moved on does not change what an older message says", () => {
  const before = version({ id: 1, a: 2, gone: 3 });
  // Since then: a renamed to title, gone dropped, c added.
  const table = catalogue({ id: 1, title: 2, c: 4 }, true);
  assert.deepEqual(numbersOf(["id", "a", "gone"], { table, before }), [1, 2, 3]);
  assert.deepEqual(numbersOf(["id", "title", "gone"], { table, before }), [1, 2, 3]);
  assert.deepEqual(numbersOf(["id", "title", "c"], { table, before }), [1, 2, 4]);
});

Deno.test("without dropped columns places decide, whatever the names became", () => {
  const table = catalogue({ id: 1, b: 2, c: 3 }, false);
  assert.deepEqual(numbersOf(["id", "a"], { table }), [1, 2]);
});

Deno.test("names that do not keep the order of a catalogue with gaps prove nothing", () => {
  const table = catalogue({ id: 1, c: 3, a: 4 }, true);
  assert.deepEqual(numbersOf(["id", "a", "c", "x"], { table }), [undefined, undefined, undefined, undefined]);
});

Deno.test("another table of the same name asks for a new copy", () => {
  assert.match(stepBetween(version({ id: 1 }), { ...version({ id: 1 }), oid: 2 }).recopyReason ?? "", /made again/);
});

Deno.test("partitions whose rows come or go without row events ask for a new copy, new empty ones do not", () => {
  const leaf = (oid: number, fileNode: string, madeInPlace: boolean) => ({
    oid,
    fileNode,
    madeInPlace,
    isLogged: true,
    name: `p${oid}`,
    maySelect: true,
  });
  const root = (...leaves: RelationVersion["leaves"]) => ({ ...version({ id: 1 }), leaves });
  const reason = (before: RelationVersion, after: RelationVersion) => stepBetween(before, after).recopyReason ?? "";
  const one = leaf(1, "1", true);
  assert.equal(reason(root(one), root(one, leaf(2, "2", true))), "");
  assert.match(reason(root(one), root(one, leaf(2, "2", false))), /attached/);
  assert.match(reason(root(one), root(one, { ...leaf(2, "2", true), isLogged: false })), /unlogged/);
  assert.match(reason(root(one, leaf(2, "2", true)), root(one)), /detached or dropped/);
  assert.match(reason(root(one), root(leaf(1, "9", true))), /truncated/);
});
