/** A verification point without a source: whatever the server shows now, written as a spool file. */
import type { VerificationPoint } from "../change/source.ts";
import { spoolCopyOptions } from "../change/spool_format.ts";
import type { PostgresConnection } from "../source/postgres/connection.ts";

/** The `copyTo` of a point over a plain connection. For small tables that nobody writes to meanwhile. */
export function currentRowsOf(source: PostgresConnection): Pick<VerificationPoint, "copyTo"> {
  return {
    copyTo: async (statement, path) => {
      const rows: Uint8Array<ArrayBuffer>[] = [];
      await source.copyOut(`COPY (${statement}) TO STDOUT (${spoolCopyOptions})`, (bytes) => {
        // The bytes are lent for the call only.
        rows.push(new Uint8Array(bytes));
        return undefined;
      });
      await Deno.writeFile(path, new Blob(rows).stream());
      return rows.length;
    },
  };
}
