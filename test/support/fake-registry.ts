import { createHash } from "node:crypto";
import { type HttpTestServer, type ReceivedRequest, type Answer, httpServer } from "./http-server.js";

/** Options of {@link fakeRegistry}. */
export interface FakeRegistryOptions {
  tls?: boolean;
  /** Ask for authorisation: tokens from `/token` of the same server, or basic. The user is `me:secret`. */
  auth?: "bearer" | "basic";
  /** Serve the referrers API. Default true. */
  referrers?: boolean;
  /** Looked at before each request; an answer given here is the answer. */
  intercept?: (request: ReceivedRequest) => Answer | undefined;
}

/** A registry in memory, as strict as the distribution specification, for tests. */
export interface FakeRegistry extends HttpTestServer {
  /** By `repository@digest`. */
  readonly blobs: Map<string, Buffer>;
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, { mediaType: string; content: Buffer }>;
  /** Scopes of the tokens given out, in order. */
  readonly tokens: string[];
  addBlob(repository: string, content: Buffer | string): { digest: string; size: number; mediaType: string };
  addManifest(repository: string, tag: string, mediaType: string, value: unknown): string;
}

const sha256 = (content: Buffer | string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
const notFound = (code: string): Answer => ({
  status: 404,
  body: { errors: [{ code, message: "unknown" }] },
});

/** Starts a registry on 127.0.0.1. */
export async function fakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const blobs: FakeRegistry["blobs"] = new Map();
  const manifests: FakeRegistry["manifests"] = new Map();
  const tokens: string[] = [];
  const uploads = new Set<string>();
  let uploadCount = 0;
  const server = await httpServer((request) => options.intercept?.(request) ?? answer(request), {
    tls: options.tls ?? false,
  });

  function answer(request: ReceivedRequest): Answer {
    const url = new URL(request.url, server.origin);
    if (url.pathname === "/token") return token(request, url);
    const refused = authorise(request, url);
    if (refused) return refused;
    if (url.pathname === "/v2/") return { status: 200, body: {} };
    const match = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/(.*)$/.exec(url.pathname);
    const [, repository = "", kind, name = ""] = match ?? [];
    if (kind === "manifests") return manifest(request, repository, name);
    if (kind === "referrers") return referrers(repository, name, url);
    if (kind === "blobs") return blob(request, repository, name, url);
    return notFound("NAME_UNKNOWN");
  }

  function token({ method, body, headers }: ReceivedRequest, url: URL): Answer {
    const form = new URLSearchParams(method === "POST" ? body.toString() : url.search);
    const known = form.get("password") === "secret" || headers.authorization === basic;
    if (!known) return { status: 401, body: { details: "incorrect username or password" } };
    const scope = (method === "POST" ? form.get("scope") : form.getAll("scope").join(" ")) ?? "";
    tokens.push(scope);
    return { body: { token: Buffer.from(scope).toString("base64url"), expires_in: 300 } };
  }

  function authorise({ method, headers }: ReceivedRequest, url: URL): Answer | undefined {
    if (options.auth === undefined) return undefined;
    if (options.auth === "basic") {
      if (headers.authorization === basic) return undefined;
      return { status: 401, headers: { "www-authenticate": 'Basic realm="test"' } };
    }
    const repository = /^\/v2\/(.+?)\/(manifests|blobs|referrers)\//.exec(url.pathname)?.[1] ?? "";
    const action = method === "GET" || method === "HEAD" ? "pull" : "push";
    const scopes = Buffer.from((headers.authorization ?? "").replace("Bearer ", ""), "base64url").toString();
    const granted = scopes
      .split(" ")
      .some((scope) => scope.startsWith(`repository:${repository}:`) && scope.includes(action));
    if (granted) return undefined;
    const scope = `repository:${repository}:${action === "pull" ? "pull" : "pull,push"}`;
    const challenge = `Bearer realm="${server.origin}/token",service="fake",scope="${scope}"`;
    return { status: 401, headers: { "www-authenticate": challenge } };
  }

  function manifest({ method, headers, body }: ReceivedRequest, repository: string, name: string): Answer {
    if (method === "PUT") {
      const stored = { mediaType: headers["content-type"] ?? "", content: body };
      manifests.set(`${repository}@${sha256(body)}`, stored);
      if (!name.startsWith("sha256:")) manifests.set(`${repository}:${name}`, stored);
      else if (name !== sha256(body)) return { status: 400, body: { errors: [{ code: "DIGEST_INVALID" }] } };
      const { subject } = JSON.parse(body.toString()) as { subject?: { digest: string } };
      const knows = subject && options.referrers !== false;
      return {
        status: 201,
        headers: { "docker-content-digest": sha256(body), ...(knows && { "oci-subject": subject.digest }) },
      };
    }
    const found = manifests.get(`${repository}${name.startsWith("sha256:") ? "@" : ":"}${name}`);
    if (!found) return notFound("MANIFEST_UNKNOWN");
    return {
      headers: {
        "content-type": found.mediaType,
        "content-length": String(found.content.length),
        "docker-content-digest": sha256(found.content),
      },
      body: method === "HEAD" ? "" : found.content,
    };
  }

  function blob(
    { method, headers, body }: ReceivedRequest,
    repository: string,
    name: string,
    url: URL,
  ): Answer {
    if (name === "uploads/" && method === "POST") {
      const mount = url.searchParams.get("mount");
      const mounted = blobs.get(`${url.searchParams.get("from")}@${mount}`);
      if (mounted) {
        blobs.set(`${repository}@${mount}`, mounted);
        return { status: 201 };
      }
      const id = String(uploadCount++);
      uploads.add(id);
      return { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/${id}?state=x` } };
    }
    if (name.startsWith("uploads/")) {
      const digest = url.searchParams.get("digest") ?? "";
      const valid =
        method === "PUT" && uploads.delete(name.slice(8)) && url.searchParams.get("state") === "x";
      if (!valid || digest !== sha256(body))
        return { status: 400, body: { errors: [{ code: "DIGEST_INVALID" }] } };
      blobs.set(`${repository}@${digest}`, body);
      // BuildKit 0.12 fails without it.
      return { status: 201, headers: { "docker-content-digest": digest } };
    }
    const found = blobs.get(`${repository}@${name}`);
    if (!found) return notFound("BLOB_UNKNOWN");
    if (method === "HEAD") return { headers: { "content-length": String(found.length) } };
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    if (from === 0) return { body: found };
    return {
      status: 206,
      headers: { "content-range": `bytes ${from}-${found.length - 1}/${found.length}` },
      body: found.subarray(from),
    };
  }

  function referrers(repository: string, digest: string, url: URL): Answer {
    if (options.referrers === false) return notFound("NOT_FOUND");
    const all = [...manifests]
      .filter(([key]) => key.startsWith(`${repository}@`))
      .map(([key, stored]) => ({
        key,
        stored,
        value: JSON.parse(stored.content.toString()) as Record<string, unknown>,
      }))
      .filter(({ value }) => (value["subject"] as { digest?: string } | undefined)?.digest === digest)
      .map(({ key, stored, value }) => ({
        mediaType: stored.mediaType,
        digest: key.slice(repository.length + 1),
        size: stored.content.length,
        artifactType: value["artifactType"],
      }));
    const page = Number(url.searchParams.get("page") ?? 0);
    const next: Record<string, string> =
      page + 1 < all.length ? { link: `<${url.pathname}?page=${page + 1}>; rel="next"` } : {};
    return {
      headers: next,
      body: {
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: all.slice(page, page + 1),
      },
    };
  }

  return {
    ...server,
    blobs,
    manifests,
    tokens,
    addBlob(repository, content) {
      const data = Buffer.from(content);
      blobs.set(`${repository}@${sha256(data)}`, data);
      return { mediaType: "application/octet-stream", digest: sha256(data), size: data.length };
    },
    addManifest(repository, tag, mediaType, value) {
      const content = Buffer.from(JSON.stringify(value));
      manifests.set(`${repository}:${tag}`, { mediaType, content });
      manifests.set(`${repository}@${sha256(content)}`, { mediaType, content });
      return sha256(content);
    },
  };
}
