import { isSlipwayError } from "../core/index.js";
import type { Descriptor } from "./descriptor.js";
import type { Endpoint } from "./endpoint.js";
import { type Exchange, listOf, refusal } from "./exchange.js";
import { maxManifestBytes, parseManifest } from "./manifest.js";
import { readBody } from "./response-body.js";
import { repositoryScope } from "./scopes.js";

/** Options of {@link listReferrers}. */
export interface ReferrersOptions {
  artifactType?: string;
  signal?: AbortSignal | undefined;
  /** Reads the manifest of a tag, for registries without the referrers API. */
  fallback: (tag: string) => Promise<Buffer>;
}

/** More pages than any subject has referrers for. */
const maxPages = 100;

/**
 * Manifests whose subject is the given one: by the referrers API page by page, or by the tag `sha256-…` that clients
 * keep where there is no such API (distribution-spec 1.1, listing referrers).
 */
export async function listReferrers(
  exchange: Exchange,
  endpoint: Endpoint,
  repository: { domain: string; path: string },
  digest: string,
  { artifactType, signal, fallback }: ReferrersOptions,
): Promise<Descriptor[]> {
  const what = `the referrers of ${repository.domain}/${repository.path}@${digest}`;
  const found: Descriptor[] = [];
  const take = (content: Buffer) => {
    const index = parseManifest(content, undefined, what);
    if (index.kind !== "index") return;
    // A registry may filter, but need not.
    found.push(
      ...index.manifests.filter((one) => artifactType === undefined || one.artifactType === artifactType),
    );
  };
  let path: string | URL | undefined = `${repository.path}/referrers/${digest}`;
  for (let page = 0; path !== undefined && page < maxPages; page++) {
    const response = await exchange.send(endpoint, {
      method: "GET",
      path,
      ...(page === 0 && artifactType !== undefined && { query: { artifactType } }),
      scopes: [repositoryScope(repository.path)],
      signal,
    });
    if (response.statusCode === 404) {
      await response.body.dump();
      await fallback(digest.replace(":", "-")).then(take, ignoreNotFound);
      return found;
    }
    if (response.statusCode !== 200) throw await refusal(endpoint, response, what);
    take(await readBody(response, maxManifestBytes, what));
    path = nextPage(endpoint, listOf(response.headers["link"]));
  }
  return found;
}

/** The next page by `Link: <…>; rel="next"`, of the same endpoint only. */
function nextPage(endpoint: Endpoint, links: string[]): URL | undefined {
  const target = links.map(nextLink).find(Boolean);
  const origin = `${endpoint.protocol}//${endpoint.host}`;
  if (target === undefined || !URL.canParse(target, `${origin}/`)) return undefined;
  const url = new URL(target, `${origin}/`);
  return url.origin === new URL(origin).origin ? url : undefined;
}

/** The address of `rel=next` in a `Link` header (RFC 8288). */
function nextLink(link: string): string | undefined {
  let at = 0;
  for (;;) {
    const open = link.indexOf("<", at);
    const close = open < 0 ? -1 : link.indexOf(">", open);
    if (close < 0) return undefined;
    const comma = link.indexOf(",", close);
    at = comma < 0 ? link.length : comma;
    const parameters = link.slice(close + 1, at).split(";");
    if (parameters.some((one) => /^rel="?next"?$/i.test(one.trim()))) return link.slice(open + 1, close);
  }
}

function ignoreNotFound(error: unknown): void {
  if (!isSlipwayError(error, "REGISTRY_NOT_FOUND")) throw error;
}
