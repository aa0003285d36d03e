import assert from "node:assert/strict";
import { StopOfCapture } from "./stop_of_capture.ts";

function stopOfDemo(): {
  readonly stop: StopOfCapture;
  readonly asked: AbortController;
  readonly gone: AbortController;
} {
  const [asked, gone] = [new AbortController(), new AbortController()];
  return { stop: new StopOfCapture({ asked: asked.signal, atOnce: gone.signal }), asked, gone };
}

Deno.test("a stream that is asked to end goes on for its verification, a copy ends at once", () => {
  for (const isStreaming of [true, false]) {
    const { stop, asked } = stopOfDemo();
    stop.isStreaming = isStreaming;
    asked.abort();
    assert.equal(stop.signal.aborted, !isStreaming);
  }
});

Deno.test("where nobody is left to be told, the verification ends too, and none begins", () => {
  for (const isAskedBefore of [true, false]) {
    const { stop, asked, gone } = stopOfDemo();
    stop.isStreaming = true;
    if (isAskedBefore) asked.abort();
    gone.abort();
    assert.ok(stop.signal.aborted);
  }
});
