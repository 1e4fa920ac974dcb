import { InvalidArgumentError } from "../../core/index.js";
import { isRemoteUrl } from "../../build/index.js";
import type { Provenance } from "./provenance.js";
import { replayErrors } from "./replay-error.js";

/**
 * Network of RUN steps: the asked one, else the recorded; undefined for the usual one. The host's needs a right that a replay cannot
 * give (buildx v0.38 replay/build.go networkModeForReplay).
 *
 * @throws InvalidArgumentError
 */
export function networkForReplay(
  asked: string | undefined,
  recorded: string | undefined,
): "none" | undefined {
  if (asked !== undefined && asked !== "" && asked !== "default" && asked !== "none")
    throw new InvalidArgumentError(`unsupported --network ${JSON.stringify(asked)} (want default or none)`);
  const mode = asked || recorded || "default";
  if (mode === "default") return undefined;
  if (mode === "none") return "none";
  if (mode === "host")
    throw new InvalidArgumentError(
      "the original build used --network=host, which replay does not support; pass --network=default or --network=none " +
        "to replay with a different network mode",
    );
  throw new InvalidArgumentError(
    `unsupported recorded network mode ${JSON.stringify(mode)}; pass --network=default or --network=none`,
  );
}

/** What belongs to a machine or a client, is decided anew, or would let the provenance name what this side is to send. */
const ownAttrs =
  /^(?:attest:|vcs:|sharedkey:|localdir:|context$|context:|contextkey$|contextsubdir$|dockerfilekey$|filename$|input:|platform$|cgroup-parent$|image-resolve-mode$|cache-imports$|cache-from$|multi-platform$|requestid$|force-network-mode$|build-arg:BUILDKIT_MULTI_PLATFORM$)/;

/** Attributes of the frontend that are as they were recorded. */
export function recordedAttrs({ attrs, frontend }: Provenance): Record<string, string> {
  const kept = Object.fromEntries([...attrs].filter(([key]) => !ownAttrs.test(key)));
  if (frontend !== "gateway.v0") return kept;
  const source = kept["source"] || (kept["cmdline"] ?? "").trim().split(/\s+/)[0];
  if (!source) throw replayErrors.subject("gateway.v0 predicate has no recorded frontend source");
  return { ...kept, source };
}

/**
 * Named contexts that the builder fetches. Nothing else that the provenance says may name a context: a path would be read from this
 * machine.
 */
export function remoteContexts({ attrs }: Provenance): Record<string, string> {
  const found = [...attrs].filter(
    ([key, value]) => key.startsWith("context:") && !value.startsWith("local:"),
  );
  for (const [key, value] of found)
    if (!value.startsWith("docker-image://") && !isRemoteUrl(value))
      throw replayErrors.subject(
        `the provenance names ${JSON.stringify(value)} as ${key}, which is neither an image nor a git or http(s) URL`,
      );
  return Object.fromEntries(found);
}

/** Where the context is fetched from; undefined for a local one. */
export function remoteContext({ configSource, attrs }: Provenance): string | undefined {
  const uri = configSource.uri || attrs.get("context") || "";
  if (uri === "") return undefined;
  if (!isRemoteUrl(uri))
    throw replayErrors.subject(
      `the provenance names ${JSON.stringify(uri)} as its context, which is no git or http(s) URL`,
    );
  return uri;
}

/** The Dockerfile's path in the context. */
export function dockerfilePath({ configSource, attrs }: Provenance): string {
  return configSource.path || attrs.get("filename") || "Dockerfile";
}
