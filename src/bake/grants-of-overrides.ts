import { parseCaches, parseOutput, parseSecret, parseSsh } from "./entries.js";

/**
 * Privileges that changes of `--set` allow, since whoever types a path there means it: paths of local caches, outputs, ssh keys and
 * secrets, and the network of the host.
 */
export function grantsOf(set: readonly string[]): string[] {
  return set.flatMap((text) => {
    const at = text.indexOf("=");
    if (at < 0) return [];
    const [, key = ""] = text.slice(0, at).replace(/\+$/, "").split(".");
    const value = text.slice(at + 1);
    return value === "" ? [] : grantsOfKey(key, value);
  });
}

function grantsOfKey(key: string, value: string): string[] {
  switch (key) {
    case "output": {
      const { dest = "" } = parseOutput(value);
      return path("fs.write", dest);
    }
    case "cache-to":
      return parseCaches(value).flatMap(({ type, attrs }) =>
        path("fs.write", type === "local" ? attrs.get("dest") : ""),
      );
    case "cache-from":
      return parseCaches(value).flatMap(({ type, attrs }) =>
        path("fs.read", type === "local" ? attrs.get("src") : ""),
      );
    case "secret":
    case "secrets":
      return path("fs.read", parseSecret(value).src);
    case "ssh": {
      const { paths } = parseSsh(value);
      return paths.length === 0 ? ["ssh"] : paths.flatMap((file) => path("fs.read", file));
    }
    case "entitlement":
    case "entitlements":
      return value === "network.host" || value === "security.insecure" ? [value] : [];
    case "network":
      return value === "host" ? ["network.host"] : [];
    default:
      return [];
  }
}

function path(kind: string, value: string | undefined): string[] {
  return value === undefined || value === "" || value === "-" ? [] : [`${kind}=${value}`];
}
