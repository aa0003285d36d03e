/** A short name that stands for a lake, wherever something is kept or made for it. */
import { placeName } from "./lake_place.ts";

/** Eight hex digits that stand for a lake's place (FNV-1a). */
export function lakeId(lake: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(placeName(lake))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}
