import { type Answer, type HttpTestServer, type ReceivedRequest, httpServer } from "./http-server.js";

/** What GitHub's service gives to jobs, scripted: caches (version 2) and artifacts, behind one token. */
export interface ActionsService extends AsyncDisposable {
  readonly server: HttpTestServer;
  /** Variables by which an action finds it. */
  readonly env: Readonly<Record<string, string>>;
  /** Entries of the cache by key, whole ones only. */
  readonly caches: ReadonlyMap<string, Buffer>;
  /** Artifacts by name, whole ones only. */
  readonly artifacts: ReadonlyMap<string, Buffer>;
  /** Refuses artifacts from now on. */
  refuseArtifacts(): void;
}

/** Starts the service. A call without its token is refused, and listed among `server.requests` like all others. */
export async function actionsService(): Promise<ActionsService> {
  const caches = new Map<string, Buffer>();
  const artifacts = new Map<string, Buffer>();
  /** Blobs by path, whole or in pieces. */
  const blobs = new Map<string, Buffer>();
  const blocks = new Map<string, Buffer>();
  const token = jwt({
    scp: "Actions.Results:run-1:job-1",
    ac: JSON.stringify([{ Scope: "refs/heads/main", Permission: 3 }]),
    nbf: Math.floor(Date.now() / 1000) - 60,
    exp: Math.floor(Date.now() / 1000) + 3600,
    iss: "test",
  });
  let takesArtifacts = true;
  let origin = "";

  const rpc = (method: string, body: Record<string, string>): Answer => {
    const key = body["key"] ?? body["name"] ?? "";
    const blob = `/blob/${encodeURIComponent(key)}`;
    switch (method) {
      case "CacheService/CreateCacheEntry":
        return {
          body: caches.has(key) ? { ok: false } : { ok: true, signed_upload_url: `${origin}${blob}` },
        };
      case "CacheService/FinalizeCacheEntryUpload":
        caches.set(key, blobs.get(blob) ?? Buffer.alloc(0));
        return { body: { ok: true, entry_id: String(caches.size) } };
      case "CacheService/GetCacheEntryDownloadURL": {
        const wanted = [key, ...((body["restore_keys"] ?? []) as unknown as string[])];
        const found = [...caches.keys()]
          .reverse()
          .find((one) => wanted.some((prefix) => one.startsWith(prefix)));
        if (found === undefined) return { body: { ok: false } };
        const signed_download_url = `${origin}/blob/${encodeURIComponent(found)}`;
        return { body: { ok: true, signed_download_url, matched_key: found } };
      }
      case "ArtifactService/CreateArtifact":
        return takesArtifacts
          ? { body: { ok: true, signed_upload_url: `${origin}${blob}` } }
          : { status: 403, body: { code: "permission_denied" } };
      case "ArtifactService/FinalizeArtifact":
        artifacts.set(key, blobs.get(blob) ?? Buffer.alloc(0));
        return { body: { ok: true, artifact_id: "1" } };
      default:
        return { status: 404, body: { code: "bad_route" } };
    }
  };

  const blobCall = ({ method, url, headers, body }: ReceivedRequest): Answer => {
    const { pathname, searchParams } = new URL(url, origin);
    if (method === "PUT") {
      const kind = searchParams.get("comp");
      if (kind === "block") blocks.set(`${pathname} ${searchParams.get("blockid")}`, body);
      else if (kind === "blocklist") {
        const ids = [...body.toString().matchAll(/<Latest>([^<]*)<\/Latest>/g)].map(([, id]) => id);
        blobs.set(
          pathname,
          Buffer.concat(ids.map((id) => blocks.get(`${pathname} ${id}`) ?? Buffer.alloc(0))),
        );
      } else blobs.set(pathname, body);
      return { status: 201, headers: azure };
    }
    const blob = blobs.get(pathname);
    if (!blob) return { status: 404, headers: azure };
    const range = /^bytes=(\d+)-(\d*)$/.exec(String(headers["x-ms-range"] ?? headers["range"] ?? ""));
    if (!range) return { headers: azure, body: blob };
    const start = Number(range[1]);
    const end = range[2] ? Math.min(Number(range[2]), blob.length - 1) : blob.length - 1;
    return {
      status: 206,
      headers: { ...azure, "content-range": `bytes ${start}-${end}/${blob.length}` },
      body: blob.subarray(start, end + 1),
    };
  };

  const server = await httpServer((request) => {
    if (request.url.startsWith("/blob/")) return blobCall(request);
    if (request.headers.authorization !== `Bearer ${token}`)
      return { status: 401, body: { code: "unauthenticated" } };
    const [, method = ""] = /^\/twirp\/github\.actions\.results\.api\.v1\.(.*)$/.exec(request.url) ?? [];
    return rpc(method, JSON.parse(request.body.toString() || "{}") as Record<string, string>);
  });
  origin = server.origin;
  return {
    server,
    caches,
    artifacts,
    env: {
      ACTIONS_RUNTIME_TOKEN: token,
      ACTIONS_RESULTS_URL: `${origin}/`,
      ACTIONS_CACHE_URL: `${origin}/`,
      ACTIONS_CACHE_SERVICE_V2: "true",
    },
    refuseArtifacts: () => void (takesArtifacts = false),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** What BuildKit's client reads of an answer, and does not look whether it is there. */
const azure = {
  etag: '"1"',
  "last-modified": new Date(0).toUTCString(),
  "x-ms-request-id": "1",
  "x-ms-version": "2024-01-01",
};

/** A token that nobody checks but for its claims. */
function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.${Buffer.from("signature").toString("base64url")}`;
}
