/** What files a model of the hub has at one commit, and how each can be told to be whole. */
import { WeirError } from "../../errors.ts";
import { type HubAccess, hubRequest, Silence, withAttempts } from "./hub_request.ts";

/** A model of the hub, as named by a user. */
export interface HubName {
  /** `organisation/name`. */
  readonly model: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** One file at a commit. */
export interface HubFile {
  /** From the model's root. */
  readonly path: string;
  readonly bytes: number;
  /** Of a large file. */
  readonly sha256?: string;
  /** Of a small one: the SHA-1 that Git knows it by. */
  readonly gitSha1?: string;
}

/** All files at a commit. */
export interface ModelListing {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

/** The model a text names; undefined if it has not the form `organisation/name[@revision]`. */
export function hubName(text: string): HubName | undefined {
  const [, model, revision = "main"] = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w][\w./-]*))?$/.exec(text) ?? [];
  return model === undefined ? undefined : { model, revision };
}

/** Whether a revision is a commit, which never changes. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Asks the hub. @throws {WeirError} What {@linkcode hubRequest} throws. */
export async function listModel(access: HubAccess, { model, revision }: HubName): Promise<ModelListing> {
  const path = `/api/models/${model}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const answer = await withAttempts(access, async () => {
    using silence = new Silence();
    const response = await hubRequest(access, { path, model: `${model}@${revision}` }, silence);
    return await response.json().catch(() => undefined) as unknown;
  });
  const listing = listingOf(answer);
  if (listing !== undefined) return listing;
  throw new WeirError("configuration", `${access.endpoint} does not answer as a model hub does`, {
    advice: "Check HF_ENDPOINT",
  });
}

interface Answer {
  readonly sha?: unknown;
  readonly siblings?: unknown;
}

interface Sibling {
  readonly rfilename?: unknown;
  readonly size?: unknown;
  readonly blobId?: unknown;
  readonly lfs?: { readonly sha256?: unknown } | null;
}

function listingOf(answer: unknown): ModelListing | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const { sha, siblings } = answer as Answer;
  if (typeof sha !== "string" || !isCommit(sha) || !Array.isArray(siblings)) return undefined;
  return { commit: sha, files: (siblings as Sibling[]).map(fileOf).filter((file) => file !== undefined) };
}

/** A file; undefined for one whose path would leave the model's folder. */
function fileOf({ rfilename, size, blobId, lfs }: Sibling): HubFile | undefined {
  if (typeof rfilename !== "string" || !/^[\w][\w .+-]*(\/[\w][\w .+-]*)*$/.test(rfilename)) return undefined;
  if (typeof size !== "number") return undefined;
  const sha256 = lfs?.sha256;
  return {
    path: rfilename,
    bytes: size,
    ...(typeof sha256 === "string"
      ? { sha256: sha256.toLowerCase() }
      : typeof blobId === "string"
      ? { gitSha1: blobId.toLowerCase() }
      : {}),
  };
}
