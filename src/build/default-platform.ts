import { type Platform, normalizePlatform } from "../builder/index.js";
import { InvalidArgumentError, withoutUndefined } from "../core/index.js";
import type { ConnectTarget } from "./connection.js";

/**
 * The platform that a build without one is for: the first of the first worker of the first node, which is booted if need be. What is
 * configured of the node does not count, as it may name others first (buildx v0.38 commands/replay/build.go).
 */
export async function defaultPlatform(target: ConnectTarget): Promise<Platform> {
  const { prepare } = await import("./connection.js");
  const { builder, address, tls, dial, env, onEvent, signal } = target;
  const prepared = await prepare(withoutUndefined({ builder, address, tls, dial, env, onEvent, signal }));
  try {
    const { nodes } = prepared;
    const client = await nodes.connect(nodes.firstIndex, {
      ...(onEvent && { onEvent }),
      ...(signal && { signal }),
    });
    const [worker] = await client.workers({ signal });
    const [first] = worker?.platforms ?? [];
    if (!first)
      throw new InvalidArgumentError(
        `could not determine default platform of builder ${JSON.stringify(nodes.first.builderName)}`,
      );
    const { OS: os, Architecture: architecture, Variant: variant } = first;
    return normalizePlatform({ os, architecture, ...(variant && { variant }) });
  } finally {
    await prepared.close();
  }
}
