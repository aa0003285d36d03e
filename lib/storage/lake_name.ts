/** How a lake is called wherever something is kept or made for it: by its place. */
import { resolve } from "node:path";
import { locationUri, objectLocation } from "./s3/location.ts";

/** The one spelling of a lake's place, whatever the user wrote; a relative folder counts from the working directory. */
export function placeName(lake: string): string {
  const location = objectLocation(lake);
  return location === undefined ? resolve(lake) : locationUri(location);
}

/** Eight hex digits that stand for a lake's place (FNV-1a). */
export function lakeId(lake: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(placeName(lake))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}
