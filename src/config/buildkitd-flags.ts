const flag = "--allow-insecure-entitlement";
const networkHost = `${flag}=network.host`;

/** What decides whether a container builder's buildkitd is allowed `network.host` without the user asking. */
export interface EntitlementContext {
  /** Driver option `network`. */
  network?: string;
  /** `insecure-entitlements` of the `buildkitd.toml`. */
  configEntitlements: readonly string[];
}

/**
 * The user's buildkitd flags plus, where buildx adds it too, `--allow-insecure-entitlement=network.host`: when the
 * builder is on the host's network and does not have it, else when neither flags nor configuration name any
 * (buildx builder `parseBuildkitdFlags`). Done once, when the builder is created.
 */
export function withNetworkHostEntitlement(flags: readonly string[], context: EntitlementContext): string[] {
  const given = scanEntitlements(flags);
  const wanted =
    context.network === "host" && !given.includes("network.host")
      ? true
      : given.length === 0 && !context.configEntitlements.includes("network.host");
  return wanted ? [...flags, networkHost] : [...flags];
}

/**
 * Entitlements in the flags as buildx sees them: its parser knows this one flag only and gives up, without an error,
 * at the first other one. Kept, since what it does not see decides what it adds.
 */
function scanEntitlements(flags: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < flags.length; i++) {
    const text = flags[i] ?? "";
    if (text.startsWith(`${flag}=`)) {
      found.push(text.slice(flag.length + 1));
    } else if (text === flag) {
      const value = flags[++i];
      if (value === undefined) break;
      found.push(value);
    } else if (text.startsWith("-") && text !== "-") {
      break;
    }
  }
  return found;
}
