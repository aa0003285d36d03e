/** A model hub on this machine: its listing, its redirect of large files to another host, ranges, and what can go wrong on the way. */
import { createHash } from "node:crypto";

/** What a hub does wrong, each by file. */
export interface HubFaults {
  /** Bytes after which a connection is cut, again and again, of each request. */
  readonly cutAfter?: Readonly<Record<string, number>>;
  /** Other bytes than those that are listed. */
  readonly changed?: Readonly<Record<string, string>>;
  /** Sends files from their start, whatever range is asked for. */
  readonly ignoresRange?: boolean;
  /** Answers everything with this status. */
  readonly status?: number;
}

/** One request that came in. */
export interface HubVisit {
  /** `api`, `resolve` or `file`: the last is the other host. */
  readonly kind: "api" | "resolve" | "file";
  readonly path: string;
  readonly range: string | null;
  readonly authorization: string | null;
}

/** A hub with one model. */
export class ModelHub implements AsyncDisposable {
  readonly visits: HubVisit[] = [];
  faults: HubFaults = {};
  commit = "1".repeat(40);
  readonly #model: string;
  readonly #files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  readonly #hub: Deno.HttpServer<Deno.NetAddr>;
  /** Where large files are sent from: another origin, as it is at the real hub. */
  readonly #fileHost: Deno.HttpServer<Deno.NetAddr>;

  /** @param files Contents by path; those that end in `.onnx` or `.safetensors` are large ones. */
  constructor(model: string, files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>) {
    this.#model = model;
    this.#files = Object.fromEntries(Object.entries(files).map(([path, content]) => [path, bytesOf(content)]));
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#hub = Deno.serve(options, (request) => this.#answer(request));
    this.#fileHost = Deno.serve(options, (request) => this.#sendLarge(request));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#hub.addr.port}`;
  }

  /** The files asked for since the last look, each once. */
  takeVisits(): readonly HubVisit[] {
    return this.visits.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hub.shutdown(), this.#fileHost.shutdown()]);
  }

  #answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    const isApi = pathname.startsWith("/api/");
    this.#note(isApi ? "api" : "resolve", request);
    if (this.faults.status !== undefined) return new Response("no", { status: this.faults.status });
    if (isApi) return this.#list(pathname);
    const path = pathname.slice(`/${this.#model}/resolve/${this.commit}/`.length);
    const content = this.#files[path];
    if (content === undefined || !pathname.startsWith(`/${this.#model}/resolve/${this.commit}/`)) {
      return new Response("no such file", { status: 404 });
    }
    if (!isLarge(path)) return this.#send(path, request);
    const location = `http://127.0.0.1:${this.#fileHost.addr.port}/${path}`;
    return new Response(null, { status: 302, headers: { location, "x-linked-etag": `"${sha256(content)}"` } });
  }

  #list(pathname: string): Response {
    const [, revision] = /^\/api\/models\/(?:[^/]+\/[^/]+)\/revision\/(.*)$/.exec(pathname) ?? [];
    const known = pathname.startsWith(`/api/models/${this.#model}/`) && ["main", this.commit].includes(revision ?? "");
    if (!known) return new Response("not found", { status: 404 });
    const siblings = Object.entries(this.#files).map(([path, content]) => listed(path, content));
    return Response.json({ id: this.#model, sha: this.commit, siblings });
  }

  #sendLarge(request: Request): Response {
    this.#note("file", request);
    return this.#send(new URL(request.url).pathname.slice(1), request);
  }

  #send(path: string, request: Request): Response {
    const bytes = bytesOf(this.faults.changed?.[path] ?? this.#files[path] ?? "");
    const [, asked] = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "") ?? [];
    const from = asked === undefined || this.faults.ignoresRange ? 0 : Number(asked);
    if (from > 0 && from >= bytes.length) return new Response(null, { status: 416 });
    const status = from > 0 ? 206 : 200;
    const headers = from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
    const cut = this.faults.cutAfter?.[path];
    return new Response(bodyOf(bytes.slice(from), cut), { status, headers });
  }

  #note(kind: HubVisit["kind"], { url, headers }: Request): void {
    const path = new URL(url).pathname;
    this.visits.push({ kind, path, range: headers.get("range"), authorization: headers.get("authorization") });
  }
}

function bodyOf(
  bytes: Uint8Array<ArrayBuffer>,
  cut: number | undefined,
): ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> {
  if (cut === undefined || bytes.length <= cut) return bytes;
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return controller.error(new Error("cut"));
      sent = true;
      controller.enqueue(bytes.slice(0, cut));
    },
  });
}

function isLarge(path: string): boolean {
  return /\.(?:onnx|safetensors)$/.test(path);
}

function bytesOf(content: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** As the hub's API lists a file. */
function listed(path: string, content: Uint8Array): Readonly<Record<string, unknown>> {
  const size = content.length;
  const blobId = createHash("sha1").update(`blob ${size}\0`).update(content).digest("hex");
  return { rfilename: path, size, blobId, ...(isLarge(path) ? { lfs: { sha256: sha256(content), size } } : {}) };
}
