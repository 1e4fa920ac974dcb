import { type PlatformMatcher, only, onlyStrict } from "./platform-match.js";
import type { Platform } from "./platform.js";

/** What one node of a builder is to build. */
export interface NodeShare {
  /** Index of the node. */
  index: number;
  platforms: Platform[];
}

/**
 * Gives each platform to the node that is configured for it (buildx build/resolver). Undefined when there is a platform that no
 * node names: what the nodes' daemons offer decides then.
 *
 * @param configured platforms of the nodes, as their user set them.
 */
export function shareConfigured(
  asked: readonly Platform[],
  configured: readonly (readonly Platform[])[],
): NodeShare[] | undefined {
  const found = asked.map((platform) => bestNode(platform, configured, onlyStrict));
  return found.includes(undefined) ? undefined : shares(asked, found);
}

/**
 * Gives each platform to the node that can run it best, by emulation at worst; to the first when none can.
 *
 * @param offered platforms of the nodes: the configured ones first, then what the daemons say.
 */
export function shareOffered(
  asked: readonly Platform[],
  offered: readonly (readonly Platform[])[],
): NodeShare[] {
  return shares(
    asked,
    asked.map((platform) => bestNode(platform, offered, only)),
  );
}

function bestNode(
  asked: Platform,
  platforms: readonly (readonly Platform[])[],
  matcher: (platform: Platform) => PlatformMatcher,
): number | undefined {
  let best: { index: number; platform: Platform } | undefined;
  for (const [index, list] of platforms.entries())
    for (const platform of list) {
      const match = matcher(platform);
      if (match.matches(asked) && (!best || match.compare(asked, best.platform) < 0))
        best = { index, platform };
    }
  return best?.index;
}

function shares(asked: readonly Platform[], found: readonly (number | undefined)[]): NodeShare[] {
  const result: NodeShare[] = [];
  for (const [at, platform] of asked.entries()) {
    const index = found[at] ?? 0;
    const share = result.find((one) => one.index === index);
    if (share) share.platforms.push(platform);
    else result.push({ index, platforms: [platform] });
  }
  return result;
}
