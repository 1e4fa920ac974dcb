import type { Builder } from "./builder.js";
import type { BuilderNode } from "./builder-node.js";
import { onlyStrict } from "./platform-match.js";
import { parsePlatforms } from "./platform.js";

/** The node whose own platforms match most of those asked for; the first when none does, or nothing is asked. */
export function pickNode(builder: Builder, platforms: readonly string[]): BuilderNode | undefined {
  const asked = platforms.length === 0 ? [] : parsePlatforms(platforms);
  const matches = (node: BuilderNode) =>
    asked.filter((platform) => node.node.platforms.some((own) => onlyStrict(own).matches(platform))).length;
  const best = Math.max(0, ...builder.nodes.map(matches));
  return builder.nodes.find((node) => matches(node) === best);
}
