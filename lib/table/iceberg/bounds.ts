/**
 * Lower and upper bounds of columns (Iceberg spec, Appendix D, "Binary single-value serialization").
 *
 * Promise: a lower bound is never above any value of the file and an upper bound never below; where that cannot be known
 * there is no bound, because a wrong one loses rows silently.
 */
import type { ScalarType } from "../../dataset/column_type.ts";
import { raisedText } from "../raised_text.ts";
import { fromHex, singleValue } from "../single_value.ts";

/** Iceberg's default metrics mode, `truncate(16)`: code points of text, bytes of binary. */
const truncatedLength = 16;
const utf8 = new TextEncoder();

/** Bound of a column from the smallest value's text in DuckDB's `RETURN_STATS` form. */
export function lowerBound(type: ScalarType, text: string): Uint8Array | undefined {
  if (type.kind === "string") return utf8.encode([...text].slice(0, truncatedLength).join(""));
  if (type.kind === "binary") return fromHex(text)?.subarray(0, truncatedLength);
  if ((type.kind === "float32" || type.kind === "float64") && Number(text) === 0) return singleValue(type, "-0");
  return singleValue(type, text);
}

/** Bound of a column from the largest value's text. */
export function upperBound(type: ScalarType, text: string): Uint8Array | undefined {
  if (type.kind === "string") {
    const raised = raisedText(text, truncatedLength);
    return raised === undefined ? undefined : utf8.encode(raised);
  }
  if (type.kind === "binary") return raisedBytes(fromHex(text));
  if ((type.kind === "float32" || type.kind === "float64") && Number(text) === 0) return singleValue(type, "0");
  return singleValue(type, text);
}

function raisedBytes(bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (bytes === undefined || bytes.length <= truncatedLength) return bytes;
  for (let last = truncatedLength - 1; last >= 0; last--) {
    if (bytes[last] === 0xFF) continue;
    const raised = bytes.slice(0, last + 1);
    raised[last]! += 1;
    return raised;
  }
  return undefined;
}
