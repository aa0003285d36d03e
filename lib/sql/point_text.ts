/** A point in a lake's past as the command line has it. */
import { parsePosition } from "../change/position.ts";
import { WeirError } from "../errors.ts";
import type { LakePoint } from "../query/lake.ts";

/**
 * Reads `newest`, `consistent`, a position (`instance@offset`), or a time; a time that does not say its zone is in UTC.
 *
 * Throws `configuration` for anything else.
 *
 * @example
 * ```ts
 * import { readPoint } from "./point_text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(readPoint("consistent"), "consistent");
 * assert.deepEqual(readPoint("1970-01-01 00:00:01.5"), { timeMs: 1500 });
 * assert.deepEqual(readPoint("postgres:1/1@0/10"), { position: { instance: "postgres:1/1", offset: "0/10" } });
 * ```
 */
export function readPoint(text: string): LakePoint {
  if (text === "newest" || text === "consistent") return text;
  if (/.@./.test(text)) return { position: parsePosition(text) };
  const [, day, time = "00:00", zone = "Z"] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(text) ?? [];
  const timeMs = day === undefined ? NaN : Date.parse(`${day}T${time}${zoneText(zone)}`);
  if (!Number.isNaN(timeMs)) return { timeMs };
  throw new WeirError("configuration", `--at ${JSON.stringify(text)} is no point in time`, {
    advice: "Give newest, consistent, a time such as 2026-01-31T12:00:00Z, or a source position as INSTANCE@OFFSET",
  });
}

/** `+02` and `+0200` as `+02:00`. */
function zoneText(zone: string): string {
  return zone === "Z" ? zone : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
}
