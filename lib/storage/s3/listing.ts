/** Listings of a bucket (ListObjectsV2), page by page. Their XML is of one fixed shape, so it is read by that. */
import type { ObjectClient } from "./client.ts";

/** What one page of a listing holds. */
export interface ListingPage {
  readonly objects: readonly { readonly key: string; readonly bytes: number; readonly modifiedMs: number }[];
  /** With a delimiter: the names up to it, each once. */
  readonly prefixes: readonly string[];
  /** Asks for the next page; undefined on the last one. */
  readonly continuation?: string;
}

/** All pages of a listing. */
export async function* listingPages(
  client: ObjectClient,
  of: { readonly prefix: string; readonly delimiter?: string },
): AsyncIterable<ListingPage> {
  let continuation: string | undefined;
  do {
    const query = {
      "list-type": "2",
      // Names may hold characters that XML cannot.
      "encoding-type": "url",
      prefix: of.prefix,
      ...(of.delimiter === undefined ? {} : { delimiter: of.delimiter }),
      ...(continuation === undefined ? {} : { "continuation-token": continuation }),
    };
    const text = await client.send({ method: "GET", key: "", query }, (response) => response.text());
    const page = parseListing(text);
    yield page;
    continuation = page.continuation;
  } while (continuation !== undefined);
}

/** Reads one page. */
export function parseListing(xml: string): ListingPage {
  const isEncoded = valueOf(xml, "EncodingType") === "url";
  const name = (text: string) => isEncoded ? decodeURIComponent(text.replaceAll("+", "%20")) : text;
  const objects = elements(xml, "Contents").map((content) => ({
    key: name(valueOf(content, "Key") ?? ""),
    bytes: Number(valueOf(content, "Size")),
    modifiedMs: Date.parse(valueOf(content, "LastModified") ?? ""),
  }));
  const prefixes = elements(xml, "CommonPrefixes").map((group) => name(valueOf(group, "Prefix") ?? ""));
  const next = valueOf(xml, "IsTruncated") === "true" ? valueOf(xml, "NextContinuationToken") : undefined;
  return { objects, prefixes, ...(next === undefined ? {} : { continuation: next }) };
}

function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "g"))].map(([, content]) => content!);
}

/** Text of the first element of a name. */
export function valueOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&([a-z]+|#\d+|#x[0-9a-fA-F]+);/g, (whole, entity: string) => {
    if (!entity.startsWith("#")) return entities[entity] ?? whole;
    return String.fromCodePoint(Number(entity.slice(1).replace(/^x/, "0x")));
  });
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
