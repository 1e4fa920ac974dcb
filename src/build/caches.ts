import { type Environment, parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { BuildOptions } from "./build-options.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
import { checkLocalExport, localImport } from "./local-caches.js";
import type { CacheOption } from "./parse/cache.js";

/** Cache imports and exports as the daemon gets them. */
export interface CachePlan {
  imports: readonly CacheOption[];
  exports: readonly CacheOption[];
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
  options: BuildOptions,
  env: Environment,
  inline: boolean,
): Promise<CachePlan> {
  const warnings: string[] = [];
  const imports: CacheOption[] = [];
  const exports: CacheOption[] = [];
  for (const cache of options.cacheFrom ?? []) {
    requireAttrs(cache, "importer");
    const filled = withEnvironment(cache, env);
    if (filled?.type === "local") {
      const found = await localImport(filled);
      if ("cache" in found) imports.push(found.cache);
      else warnings.push(found.warning);
    } else if (filled) imports.push(filled);
  }
  for (const cache of options.cacheTo ?? []) {
    requireAttrs(cache, "exporter");
    if (cache.type === "local") await checkLocalExport(cache);
    const filled = withEnvironment(cache, env);
    if (filled) exports.push(filled);
  }
  if (inline && !exports.some(({ type }) => type === "inline")) exports.push({ type: "inline", attrs: {} });
  const attrs: FrontendAttrs = {};
  if (imports.length > 0)
    attrs["cache-imports"] = JSON.stringify(imports.map(({ type, attrs: a }) => ({ Type: type, Attrs: a })));
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

function requireAttrs({ type, attrs }: CacheOption, role: "importer" | "exporter"): void {
  for (const name of requiredAttrs[type] ?? []) {
    if (attrs[name] === "" || (attrs[name] === undefined && !daemonVariables.has(name)))
      throw new InvalidArgumentError(`${type} cache ${role} requires ${name}`);
  }
  const { mode } = attrs;
  if (role === "exporter" && mode !== undefined && mode !== "min" && mode !== "max")
    throw new InvalidArgumentError(`invalid mode ${mode} of ${type} cache, expecting min or max`);
}

type Fill = (key: string, variable: string) => void;

/** Attributes from the environment, as CI systems and cloud tools give them; undefined drops an entry that cannot work. */
function withEnvironment(cache: CacheOption, env: Environment): CacheOption | undefined {
  const attrs: Record<string, string> = { ...cache.attrs };
  const fill: Fill = (key, variable) => {
    const value = env[variable];
    if (attrs[key] === undefined && value) attrs[key] = value;
  };
  switch (cache.type) {
    case "gha": {
      fill("token", "ACTIONS_RUNTIME_TOKEN");
      fill("url", "ACTIONS_CACHE_URL");
      if (attrs["version"] === "2" || parseGoBool(env["ACTIONS_CACHE_SERVICE_V2"] ?? "") === true)
        fill("url_v2", "ACTIONS_RESULTS_URL");
      const isUsable =
        attrs["token"] !== undefined && (attrs["url"] !== undefined || attrs["url_v2"] !== undefined);
      return isUsable ? { type: "gha", attrs } : undefined;
    }
    case "s3":
      // All three or none: a session token belongs to its key.
      if (attrs["access_key_id"] === undefined && attrs["secret_access_key"] === undefined) {
        fill("access_key_id", "AWS_ACCESS_KEY_ID");
        fill("secret_access_key", "AWS_SECRET_ACCESS_KEY");
        fill("session_token", "AWS_SESSION_TOKEN");
      }
      fill("bucket", "AWS_BUCKET");
      fill("region", "AWS_REGION");
      return { type: "s3", attrs };
    case "azblob":
      fill("account_url", "BUILDKIT_AZURE_STORAGE_ACCOUNT_URL");
      return { type: "azblob", attrs };
    default:
      return cache;
  }
}
