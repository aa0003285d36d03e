import assert from "node:assert/strict";
import { serveUntil } from "./http_server.ts";

Deno.test("a server that is told to end answers what it was asked, and does not wait for a client that has sent half a request", async () => {
  const stop = new AbortController();
  const listening = Promise.withResolvers<number>();
  const asked = Promise.withResolvers<void>();
  const half = Promise.withResolvers<void>();
  const options = { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: listening.resolve, farewellMs: 300 };
  const served = serveUntil(options, async (request) => {
    if (request.method === "POST") {
      half.resolve();
      return new Response(await request.text().catch(() => "gone"));
    }
    asked.resolve();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return new Response("whole");
  });
  const port = await listening.promise;
  const silent = await Deno.connect({ port });
  await silent.write(new TextEncoder().encode("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc"));
  const whole = fetch(`http://127.0.0.1:${port}`).then((response) => response.text());
  await Promise.all([half.promise, asked.promise]);
  const startedMs = performance.now();
  stop.abort();
  await served;
  assert.ok(performance.now() - startedMs < 3_000);
  assert.equal(await whole, "whole");
  silent.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
});
