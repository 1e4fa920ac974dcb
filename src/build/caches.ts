import { type Environment, parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { BuildOptions } from "./build-options.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
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
    if (cache.type === "registry") requireAttr(cache, "ref", "registry cache importer requires ref");
    const filled = withEnvironment(cache, env);
    if (filled) imports.push(filled);
  }
  for (const cache of options.cacheTo ?? []) {
    if (cache.type === "registry") requireAttr(cache, "ref", "registry cache exporter requires ref");
    const filled = withEnvironment(cache, env);
    if (filled) exports.push(filled);
  }
  if (inline && !exports.some(({ type }) => type === "inline")) exports.push({ type: "inline", attrs: {} });
  for (const cache of [...imports, ...exports])
    if (cache.type === "local")
      throw new InvalidArgumentError("local caches are not supported yet; use type=registry or type=inline");
  const attrs: FrontendAttrs = {};
  if (imports.length > 0)
    attrs["cache-imports"] = JSON.stringify(imports.map(({ type, attrs: a }) => ({ Type: type, Attrs: a })));
  return { imports, exports, attrs, warnings };
}

function requireAttr(cache: CacheOption, name: string, message: string): void {
  if (!cache.attrs[name]) throw new InvalidArgumentError(message);
}

/** Attributes from the environment, as the GitHub Actions runner gives them; undefined drops an entry that cannot work. */
function withEnvironment(cache: CacheOption, env: Environment): CacheOption | undefined {
  if (cache.type !== "gha") return cache;
  const attrs: Record<string, string> = { ...cache.attrs };
  const fill = (key: string, variable: string) => {
    const value = env[variable];
    if (attrs[key] === undefined && value) attrs[key] = value;
  };
  fill("token", "ACTIONS_RUNTIME_TOKEN");
  fill("url", "ACTIONS_CACHE_URL");
  if (attrs["version"] === "2" || parseGoBool(env["ACTIONS_CACHE_SERVICE_V2"] ?? "") === true)
    fill("url_v2", "ACTIONS_RESULTS_URL");
  const isUsable =
    attrs["token"] !== undefined && (attrs["url"] !== undefined || attrs["url_v2"] !== undefined);
  return isUsable ? { type: "gha", attrs } : undefined;
}
