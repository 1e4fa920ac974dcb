import type { BuildkitClient } from "../buildkit/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { isOlderThan } from "./daemon-version.js";
import { firstPolicySession, policyTooOld } from "./policy/policy-too-old.js";
import type { SolvePlan } from "./solve-plan.js";

/**
 * Refuses what an older daemon would take and leave out, without a word.
 *
 * @throws InvalidArgumentError that names the release to take.
 */
export async function requireDaemonFor(
  { exports, policies, epoch }: SolvePlan,
  client: BuildkitClient,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (policies && (await isOlderThan(client, firstPolicySession, signal))) throw policyTooOld();
  // It knows nothing of rewrite-timestamp.
  if (epoch && (await isOlderThan(client, { major: 0, minor: 13 }, signal)))
    throw new InvalidArgumentError(
      "this BuildKit keeps the times of files in images: reproducible (--reproducible) needs v0.13 or later",
    );
  // Of several outputs it takes the first.
  if (exports.length > 1 && (await isOlderThan(client, { major: 0, minor: 13 }, signal)))
    throw new InvalidArgumentError(
      "multiple outputs currently unsupported by the current BuildKit daemon, please upgrade to version v0.13+ or use a single output",
    );
  // It exports the whole file system.
  const partial = exports.find(
    ({ type, attrs }) => (type === "local" || type === "tar") && attrs["src"] !== undefined,
  );
  if (partial && (await isOlderThan(client, { major: 0, minor: 34 }, signal)))
    throw new InvalidArgumentError(
      `src=${partial.attrs["src"]} of the ${partial.type} exporter is not known to the current BuildKit daemon, which would export the whole image; please upgrade to version v0.34+ or use a last stage that has these files alone`,
    );
}
