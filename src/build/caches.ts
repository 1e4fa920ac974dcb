import { type Environment, parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { awsCredentials } from "./aws-credentials.js";
import type { PlannedOptions } from "./planned-options.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
import { toldAttrs } from "./local-cache-name.js";
import { checkLocalExport, localImport } from "./local-caches.js";
import { type Cache, cachesOf } from "./parse/cache.js";

/** Cache imports and exports as the daemon gets them. */
export interface CachePlan {
  imports: readonly Cache[];
  exports: readonly Cache[];
  /** `cache-imports`, which is what the Dockerfile frontend goes by. */
  attrs: FrontendAttrs;
  warnings: readonly string[];
}

/**
 * Checks caches and fills in what the environment knows (buildx v0.36 util/buildflags/cache.go, BK client/solve.go).
 *
 * @param inline `BUILDKIT_INLINE_CACHE` was given as a build arg.
 * @throws InvalidArgumentError that names the missing attribute.
 */
export async function planCaches(
  options: PlannedOptions,
  env: Environment,
  inline: boolean,
): Promise<CachePlan> {
  const warnings: string[] = [];
  const imports: Cache[] = [];
  const exports: Cache[] = [];
  for (const cache of cachesOf(options.cacheFrom ?? [])) {
    requireAttrs(cache, "importer");
    const filled = await withEnvironment(cache, env);
    if (filled?.type === "local") {
      const found = await localImport(filled);
      if ("cache" in found) imports.push(found.cache);
      else warnings.push(found.warning);
    } else if (filled) imports.push(filled);
  }
  for (const cache of cachesOf(options.cacheTo ?? [])) {
    requireAttrs(cache, "exporter");
    if (cache.type === "local") await checkLocalExport(cache);
    const filled = await withEnvironment(cache, env);
    if (filled) exports.push(filled);
  }
  if (inline && !exports.some(({ type }) => type === "inline")) exports.push({ type: "inline", attrs: {} });
  const attrs: FrontendAttrs = {};
  if (imports.length > 0)
    attrs["cache-imports"] = JSON.stringify(
      imports.map(({ type, attrs: a }) => ({ Type: type, Attrs: toldAttrs(type, a) })),
    );
  return { imports, exports, attrs, warnings };
}

/** Attributes without which a cache of the type cannot work (BK cache/remotecache). */
const requiredAttrs: Readonly<Record<string, readonly string[]>> = {
  registry: ["ref"],
  s3: ["bucket", "region"],
  azblob: ["account_url"],
};

/** Variables by which the daemon's own environment may give an attribute; it may then be left out. */
const daemonVariables: ReadonlySet<string> = new Set(["bucket", "region", "account_url"]);

function requireAttrs({ type, attrs }: Cache, role: "importer" | "exporter"): void {
  for (const name of (Object.hasOwn(requiredAttrs, type) && requiredAttrs[type]) || []) {
    if (attrs[name] === "" || (attrs[name] === undefined && !daemonVariables.has(name)))
      throw new InvalidArgumentError(`${type} cache ${role} requires ${name}`);
  }
  const { mode } = attrs;
  if (role === "exporter" && mode !== undefined && mode !== "min" && mode !== "max")
    throw new InvalidArgumentError(`invalid mode ${mode} of ${type} cache, expecting min or max`);
}

type Fill = (key: string, ...variables: string[]) => void;

/**
 * Attributes from the environment, as CI systems and cloud tools give them (buildx v0.36 build/opt.go CreateCaches);
 * undefined drops an entry that cannot work.
 */
async function withEnvironment(cache: Cache, env: Environment): Promise<Cache | undefined> {
  const attrs: Record<string, string> = { ...cache.attrs };
  const fill: Fill = (key, ...variables) => {
    const value = variables.map((name) => env[name]).find(Boolean);
    if (attrs[key] === undefined && value) attrs[key] = value;
  };
  switch (cache.type) {
    case "gha": {
      const isNew = parseGoBool(env["ACTIONS_CACHE_SERVICE_V2"] ?? "") === true;
      fill("token", "ACTIONS_RUNTIME_TOKEN");
      if ((attrs["version"] ?? (isNew ? "2" : "")) === "2") fill("url_v2", "ACTIONS_RESULTS_URL");
      fill("url", "ACTIONS_CACHE_URL", "ACTIONS_RESULTS_URL");
      const { token, url, url_v2: newUrl } = attrs;
      return token && (url || newUrl) ? { type: "gha", attrs } : undefined;
    }
    case "s3": {
      // A session token belongs to its key, and is not wanted beside one that was given.
      if (attrs["access_key_id"] === undefined || attrs["secret_access_key"] === undefined) {
        const { accessKeyId, secretAccessKey, sessionToken } = await awsCredentials(env);
        attrs["access_key_id"] ??= accessKeyId;
        attrs["secret_access_key"] ??= secretAccessKey;
        attrs["session_token"] ??= sessionToken;
        for (const key of ["access_key_id", "secret_access_key", "session_token"])
          if (attrs[key] === "") delete attrs[key];
      }
      fill("bucket", "AWS_BUCKET");
      fill("region", "AWS_REGION");
      return { type: "s3", attrs };
    }
    case "azblob":
      fill("account_url", "BUILDKIT_AZURE_STORAGE_ACCOUNT_URL");
      return { type: "azblob", attrs };
    default:
      return cache;
  }
}
