import { type Builder, openBuilderContext } from "../../builder/index.js";
import { compareVersions, parseVersion } from "../../buildkit/index.js";
import { type DockerEndpoint, type Environment, resolveDockerEndpoint } from "../../config/index.js";
import { messageOf, sideBySide } from "../../core/index.js";
import { checkEngine } from "./engine.js";
import { type Finding, note, ok, problem } from "./finding.js";
import { checkAuthorities, checkCredentials, checkProxies } from "./here.js";
import { checkFromBuilder, checkFromHere } from "./registry.js";

/** Options of {@link doctor}. */
export interface DoctorOptions {
  builder: Builder;
  /** Image to look for in its registry. */
  image: string;
  env: Environment;
  /** For each look, ms. */
  timeout: number;
  signal: AbortSignal;
}

/** Weaknesses of BuildKit by the release that mended them (its release notes). */
const weaknesses: readonly [mended: string, text: string][] = [
  [
    "v0.12.5",
    "it is too old for slipway, and steps can break out of their container (CVE-2024-23651 to 23653)",
  ],
  ["v0.17.0", "limits of the cache (max-used-space, min-free-space) are not known to it"],
];

/**
 * Looks at all that a build depends on, and gives each finding as soon as it is there. Boots nothing, changes nothing but the
 * builder's record of builds.
 *
 * @throws AbortedError
 */
export async function* doctor(options: DoctorOptions): AsyncGenerator<Finding> {
  const { builder, env, timeout, signal } = options;
  const { config } = await openBuilderContext({ env, signal });
  const { endpoint, problem: trouble } = await endpointOf(builder, options, config);
  if (trouble) yield trouble;
  if (endpoint) {
    const isNeeded = builder.driver !== "remote" && builder.driver !== "kubernetes";
    yield* await checkEngine(endpoint, { env, isNeeded, timeout, signal });
  }
  const nodes = await builder.inspect({ milliseconds: timeout, signal });
  let isRunning = false;
  for (const [index, info] of nodes.entries()) {
    const name = `${builder.name}${nodes.length > 1 ? ` (${builder.nodes[index]?.name})` : ""}`;
    isRunning ||= info.status === "running" && info.error === undefined;
    yield builderFinding(name, builder.driver, info);
    if (info.version) yield* daemonFindings(info.version);
  }
  yield checkProxies(env, config, endpoint?.host ?? "");
  yield await checkAuthorities(env, signal);
  yield* await checkCredentials(env, config);
  const check = { ...options, config };
  const looks = [checkFromHere, isRunning ? checkFromBuilder : notTried];
  const [here, inside] = (await sideBySide(signal, looks, (look, within) =>
    look({ ...check, signal: within }),
  )) as [Finding, Finding];
  // An engine may have mirrors that are not known here, and what builds is what counts.
  yield inside.status === "ok" && here.status === "problem" ? { ...here, status: "note" } : here;
  yield inside;
}

const notTried = (): Promise<Finding> =>
  Promise.resolve(note("registry from builder", "not tried, since the builder does not run"));

async function endpointOf(
  builder: Builder,
  { env }: DoctorOptions,
  config: Parameters<typeof resolveDockerEndpoint>[1],
): Promise<{ endpoint?: DockerEndpoint; problem?: Finding }> {
  try {
    return { endpoint: (await builder.nodes[0]?.endpoint()) ?? (await resolveDockerEndpoint(env, config)) };
  } catch (error) {
    return {
      problem: problem(
        "engine",
        messageOf(error),
        "look at DOCKER_HOST, DOCKER_CONTEXT and docker's contexts",
      ),
    };
  }
}

function builderFinding(
  name: string,
  driver: string,
  { status, error }: { status?: string; error?: string },
): Finding {
  if (error !== undefined)
    return problem(
      "builder",
      `${name} (${driver}): ${error}`,
      `slipway inspect ${name} says more; slipway ls lists others`,
    );
  if (status !== "running")
    return note(
      "builder",
      `${name} (${driver}) is ${status ?? "not running"}`,
      "the first build boots it, or: slipway inspect --bootstrap",
    );
  return ok("builder", `${name} (${driver}) is running`);
}

function daemonFindings(version: string): Finding[] {
  const parsed = parseVersion(version);
  const found = weaknesses.filter(([mended]) => {
    const limit = parseVersion(mended);
    return parsed && limit && compareVersions(parsed, limit) < 0;
  });
  if (found.length === 0) return [ok("daemon", `BuildKit ${version}`)];
  return found.map(([mended, text]) =>
    note(
      "daemon",
      `BuildKit ${version}: ${text}`,
      `use ${mended} or newer: --driver-opt image=moby/buildkit:…, or a newer engine`,
    ),
  );
}
