import assert from "node:assert/strict";
import { WeirError } from "../../errors.ts";
import { PostgresConnection } from "./connection.ts";

Deno.test("a server that takes a connection and then says nothing is given up, with how long it was waited for", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const url = `postgres://postgres@127.0.0.1:${(listener.addr as Deno.NetAddr).port}/postgres`;
  await assert.rejects(PostgresConnection.open(url, { connectTimeoutMs: 100 }), (thrown) => {
    assert.ok(thrown instanceof WeirError);
    assert.deepEqual([thrown.kind, thrown.message], ["connection", "The server did not answer within 0.1 s"]);
    return true;
  });
  (await accepted).close();
});
