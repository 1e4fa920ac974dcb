import { readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

/** A `config.json` of buildx that holds credentials for some repositories or actions of one registry. */
export interface ScopedConfig {
  /** Directory of the file. */
  dir: string;
  host: string;
  /** Repository within the registry, empty for all. */
  repository: string;
  /** Actions that must all be asked for, empty for any. */
  actions: ReadonlySet<string>;
}

/**
 * The alternative configurations below `<buildx dir>/config/`: each `config.json` there, its directory's path read as
 * `host[/repository…][@action,action…]` (buildx util/dockerutil/dockerconfig). Empty when there are none.
 */
export async function findScopedConfigs(buildxDir: string): Promise<ScopedConfig[]> {
  const base = join(buildxDir, "config");
  let entries;
  try {
    entries = await readdir(base, { recursive: true, withFileTypes: true });
  } catch {
    // Optional, and what cannot be read is not there.
    return [];
  }
  return entries
    .filter((entry) => entry.name === "config.json" && !entry.isDirectory())
    .map((entry) => {
      const dir = dirname(join(entry.parentPath, entry.name));
      return { dir, ...parseConfigKey(relative(base, dir).split(sep).join("/")) };
    });
}

/** The configuration that applies to a request: only with exactly one scope; the most specific of those that match. */
export function matchScopedConfig(
  configs: readonly ScopedConfig[],
  host: string,
  scopes: readonly string[],
): ScopedConfig | undefined {
  const parsed = parseScopes(scopes);
  if (parsed.size !== 1) return undefined;
  const [name, actions] = [...parsed][0] ?? ["", new Set<string>()];
  return configs
    .filter(
      (config) =>
        config.host === host &&
        (config.repository === "" || name === `repository:${config.repository}`) &&
        [...config.actions].every((action) => actions.has(action)),
    )
    .sort((a, b) => {
      if (a.repository !== b.repository) return a.repository < b.repository ? 1 : -1;
      return b.actions.size - a.actions.size;
    })[0];
}

function parseConfigKey(key: string): Omit<ScopedConfig, "dir"> {
  const at = key.indexOf("@");
  const main = at < 0 ? key : key.slice(0, at);
  const listed = at < 0 ? [] : key.slice(at + 1).split(",");
  const slash = main.indexOf("/");
  return {
    host: slash < 0 ? main : main.slice(0, slash),
    repository: slash < 0 ? "" : main.slice(slash + 1),
    actions: new Set(listed.map((action) => action.trim()).filter((action) => action !== "")),
  };
}

/** Actions by `type:name`; one text may hold several scopes. An empty text makes the whole unusable. */
function parseScopes(scopes: readonly string[]): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>();
  if (scopes.includes("")) return result;
  for (const scope of scopes.flatMap((text) => text.split(" "))) {
    const [type = "", resource, ...rest] = scope.split(":");
    const name = resource === undefined ? type : `${type}:${resource}`;
    const actions = result.get(name) ?? new Set<string>();
    if (rest.length > 0) for (const action of rest.join(":").split(",")) actions.add(action);
    result.set(name, actions);
  }
  return result;
}
