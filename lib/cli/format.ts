/** Numbers as people read them. */

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `1,234,567`. */
export function formatCount(count: number | bigint): string {
  return (typeof count === "number" ? Math.round(count) : count).toLocaleString("en-US");
}

/** Bytes with one decimal from KiB on: `812 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < byteUnits.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** Seconds: `0.42 s`, `12.3 s`, `3:07 min`, `2:03:07 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return hours === 0 ? `${minutes}:${two(rest)} min` : `${hours}:${two(minutes)}:${two(rest)} h`;
}
