/** An object store that answers as it is told: for what no real one can be brought to do. */

/** What came. */
export interface AskedRequest {
  readonly method: string;
  /** Percent-encoded, with the query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Runs a body beside a server whose every answer is one call. */
export async function withScriptedStore(
  answer: (request: AskedRequest) => Response,
  body: (store: { readonly endpoint: string; readonly asked: readonly AskedRequest[] }) => Promise<void>,
): Promise<void> {
  const asked: AskedRequest[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { method, headers, url } = request;
    const { pathname, search } = new URL(url);
    const came = { method, headers, path: pathname + search, body: await request.bytes() };
    asked.push(came);
    return answer(came);
  });
  await body({ endpoint: `http://127.0.0.1:${server.addr.port}`, asked });
}

/** An error answer as stores give it. */
export function refusal(status: number, code: string, headers: Record<string, string> = {}): Response {
  return new Response(`<Error><Code>${code}</Code><Message>of no interest</Message></Error>`, { status, headers });
}
