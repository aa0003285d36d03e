/** Refusals as clients of OpenAI's API understand them: a status, and one JSON object that says what is wrong. */

/** What is wrong with a request, or with the server. */
export interface ApiProblem {
  /** HTTP status. 429 and above from 500 are tried again by clients. */
  readonly status: number;
  readonly message: string;
  /** The field of the request that is wrong. */
  readonly param?: string;
  /** A word that programs can act on. */
  readonly code?: string;
  /** Seconds after which to try again. */
  readonly retryAfterSeconds?: number;
}

/** Thrown by whatever refuses a request. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** The refusal of what may be asked again in a second. */
export function overloaded(message: string): ApiError {
  return new ApiError({ status: 503, message, code: "overloaded", retryAfterSeconds: 1 });
}

/** The answer that says it. */
export function problemResponse({ status, message, param, code, retryAfterSeconds }: ApiProblem): Response {
  const type = status >= 500 ? "server_error" : "invalid_request_error";
  const error = { message, type, param: param ?? null, code: code ?? null };
  const headers = new Headers();
  if (retryAfterSeconds !== undefined) headers.set("retry-after", String(retryAfterSeconds));
  if (status === 401) headers.set("www-authenticate", "Bearer");
  return Response.json({ error }, { status, headers });
}
