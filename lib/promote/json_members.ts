/** Members of objects in a JSON text, changed where they stand: everything around them stays as somebody wrote it. */

interface Member {
  readonly name: string;
  /** Where its name begins and its value ends. */
  readonly begin: number;
  readonly end: number;
}

/** A member to be written. */
export interface NewMember {
  readonly name: string;
  readonly value: unknown;
  /** The member that a new one is put behind. Default: the last. */
  readonly after?: string | undefined;
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Writes a member of an object that is itself a member of the whole: in place of one of its name, or else anew.
 *
 * @throws {TypeError} If there is no such object.
 *
 * @example
 * ```ts
 * import { withMember } from "./json_members.ts";
 * import assert from "node:assert/strict";
 *
 * const text = '{\n  "tasks": {\n    "a": { "b": 1 },\n    "z": 2\n  }\n}\n';
 * const more = withMember(text, "tasks", { name: "c", value: true, after: "a" });
 * assert.equal(more, '{\n  "tasks": {\n    "a": { "b": 1 },\n    "c": true,\n    "z": 2\n  }\n}\n');
 * ```
 */
export function withMember(text: string, object: string, { name, value, after }: NewMember): string {
  const outer = membersOf(text, text.indexOf("{")).find((member) => member.name === object);
  const brace = outer === undefined ? -1 : text.indexOf("{", outer.begin + JSON.stringify(object).length);
  if (outer === undefined || brace === -1 || brace > outer.end) throw new TypeError(`Cannot find the object ${object}`);
  const inner = membersOf(text, brace);
  const written = `${JSON.stringify(name)}: ${JSON.stringify(value, null, 2).replaceAll("\n", "\n    ")}`;
  const there = inner.find((member) => member.name === name);
  if (there !== undefined) return `${text.slice(0, there.begin)}${written}${text.slice(there.end)}`;
  const before = inner.find((member) => member.name === after) ?? inner.at(-1);
  if (before === undefined) return `${text.slice(0, brace + 1)}\n    ${written}\n  ${text.slice(outer.end - 1)}`;
  return `${text.slice(0, before.end)},\n    ${written}${text.slice(before.end)}`;
}

/** The members of the object that begins there. */
function membersOf(text: string, brace: number): readonly Member[] {
  const members: Member[] = [];
  let [depth, name, begin, end] = [0, undefined as string | undefined, 0, 0];
  for (const { 0: token, index } of text.slice(brace).matchAll(tokens)) {
    const at = brace + index;
    const closes = token === "}" || token === "]";
    if (depth === 1 && (token === "," || closes)) {
      if (name !== undefined) members.push({ name, begin, end });
      name = undefined;
    } else if (depth === 1 && name === undefined) {
      [name, begin] = [JSON.parse(token) as string, at];
    }
    if (token === "{" || token === "[") depth += 1;
    if (closes) depth -= 1;
    if (depth === 0) break;
    end = at + token.length;
  }
  return members;
}
