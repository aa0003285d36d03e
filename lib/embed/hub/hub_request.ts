/** Requests to a model hub, and what its refusals mean. */
import { WeirError } from "../../errors.ts";

/** Which hub, and as whom. */
export interface HubAccess {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the hub alone, never to where it redirects to. */
  readonly token?: string;
  /** Stops what is under way. */
  readonly signal?: AbortSignal;
  /** Pause before the first new attempt, doubled before each further one, milliseconds. */
  readonly retryMs: number;
}

/** One request. */
export interface HubRequest {
  /** From the endpoint, with a slash before. */
  readonly path: string;
  /** What is asked for, for messages: `organisation/name`. */
  readonly model: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Attempts at what fails by passing trouble: five within eight seconds. */
export const hubAttempts = 5;

/** Longest silence of a server. */
const silenceMs = 30_000;

/** Gives a server up that says nothing for long; a slow one that goes on is waited for. */
export class Silence implements Disposable {
  readonly #controller = new AbortController();
  #timer = this.#start();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something came. */
  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #start(): ReturnType<typeof setTimeout> {
    const end = () => this.#controller.abort(new Error(`nothing came for ${silenceMs / 1000} seconds`));
    return setTimeout(end, silenceMs);
  }
}

/**
 * Sends a request and follows its redirects. The caller reads the body.
 *
 * @throws {WeirError} `connection` for trouble that may pass, `authentication` and `configuration` for refusals that do not.
 */
export async function hubRequest(access: HubAccess, request: HubRequest, silence: Silence): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set("user-agent", "weir");
  if (access.token !== undefined) headers.set("authorization", `Bearer ${access.token}`);
  let response: Response;
  try {
    const signal = AbortSignal.any([silence.signal, ...(access.signal === undefined ? [] : [access.signal])]);
    response = await fetch(`${access.endpoint}${request.path}`, { headers, signal });
  } catch (thrown) {
    throw unreachable(thrown, access);
  }
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  throw refusal(response, access, request.model);
}

/**
 * Does something again while its failure may pass.
 *
 * @param done How far the work is: attempts that get on do not count.
 */
export async function withAttempts<T>(access: HubAccess, work: () => Promise<T>, done = () => 0): Promise<T> {
  for (let attempt = 1, before = done();; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      const passing = thrown instanceof WeirError && thrown.kind === "connection";
      if (done() > before) [attempt, before] = [1, done()];
      if (!passing || attempt >= hubAttempts || access.signal?.aborted) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, access.retryMs * 2 ** (attempt - 1)));
    }
  }
}

/** A network error as ours. */
export function unreachable(thrown: unknown, { endpoint, signal }: HubAccess): WeirError {
  if (thrown instanceof WeirError) return thrown;
  if (signal?.aborted) return new WeirError("interrupted", "The download of a model was stopped", { cause: thrown });
  if (thrown instanceof Deno.errors.NotCapable) {
    const [, host = "the hub's hosts"] = /net access to "([^"]+)"/.exec(thrown.message) ?? [];
    return new WeirError("configuration", `the job's permissions do not reach ${host}, which sends the model's files`, {
      cause: thrown,
      advice: `Run the job with ${host} in its --allow-net too`,
    });
  }
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new WeirError("connection", `Cannot reach the model hub at ${endpoint}: ${reason}`, {
    cause: thrown,
    advice: "Check the network, name a mirror with HF_ENDPOINT, or put the model's files into a folder and give " +
      "--model ./folder; what was downloaded so far is kept",
  });
}

function refusal({ status }: Response, { endpoint, token }: HubAccess, model: string): WeirError {
  if (status === 401 || status === 403) {
    const advice = token === undefined
      ? "Check the name; for a private or gated model set HF_TOKEN to a token that may read it"
      : "Check the name, and that HF_TOKEN may read it (a gated model has conditions to be agreed to on its page)";
    return new WeirError("authentication", `${endpoint} refuses ${model} (${status}): private, gated or not there`, {
      advice,
    });
  }
  if (status === 404) {
    return new WeirError("configuration", `${endpoint} has no ${model} (404)`, {
      advice: "Check organisation, name and revision: --model organisation/name@revision",
    });
  }
  return new WeirError("connection", `${endpoint} answers ${status} when asked for ${model}`);
}
