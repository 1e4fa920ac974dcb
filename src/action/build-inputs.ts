import { type BuildOptions, parseCache, parseCacheMounts, parseOutput } from "../build/index.js";
import { type Environment, parseSize } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { Inputs } from "./inputs.js";

/** The job that something is built in. */
export interface BuildFacts {
  env: Environment;
  /** The repository is known to be public. */
  isPublic: boolean;
}

/** What the inputs ask to be built, by the names and rules of docker/build-push-action. @throws InvalidArgumentError */
export function buildInputs(inputs: Inputs, facts: BuildFacts): BuildOptions {
  const { env } = facts;
  const context = withDefaultContext(inputs.text("context") || "{{defaultContext}}", env);
  const outputs = inputs.lines("outputs").map(parseOutput);
  const whole = { commas: false };
  const options: BuildOptions = {
    context,
    tags: inputs.list("tags"),
    labels: inputs.pairs("labels", "", whole),
    buildArgs: inputs.pairs("build-args", undefined, whole),
    platforms: inputs.list("platforms"),
    noCacheFilter: inputs.list("no-cache-filters"),
    addHosts: inputs.list("add-hosts"),
    ulimits: inputs.list("ulimit", whole),
    allow: inputs.list("allow"),
    annotations: inputs.list("annotations", whole),
    attests: inputs.list("attests", whole),
    outputs,
    cacheFrom: inputs.list("cache-from", whole).flatMap(parseCache),
    cacheTo: inputs.list("cache-to", whole).flatMap(parseCache),
    ssh: inputs.list("ssh"),
    buildContexts: contextsOf(inputs, env),
    secrets: secretsOf(inputs, context, env),
  };
  const values = {
    file: inputs.text("file") || undefined,
    target: inputs.text("target") || undefined,
    network: inputs.text("network") || undefined,
    cgroupParent: inputs.text("cgroup-parent") || undefined,
    call: inputs.text("call") || undefined,
    sbom: inputs.text("sbom") || undefined,
    provenance: inputs.text("provenance") || defaultProvenance(inputs, options, facts),
    shmSize: inputs.text("shm-size") ? parseSize(inputs.text("shm-size")) : undefined,
    cacheMounts: inputs.text("cache-mounts") ? parseCacheMounts(inputs.text("cache-mounts")) : undefined,
    load: inputs.flag("load"),
    push: inputs.flag("push"),
    pull: inputs.flag("pull"),
    noCache: inputs.flag("no-cache"),
  };
  for (const [key, value] of Object.entries(values))
    if (value !== undefined) Object.assign(options, { [key]: value });
  return options;
}

/** The repository at the commit that the workflow runs for, as a git context (docker/actions-toolkit Context.gitContext). */
function withDefaultContext(text: string, env: Environment): string {
  if (!text.includes("{{defaultContext}}")) return text;
  const repository = env["GITHUB_REPOSITORY"];
  if (!repository)
    throw new InvalidArgumentError(
      "the input context is not given, and GITHUB_REPOSITORY names no repository",
    );
  const server = env["GITHUB_SERVER_URL"] || "https://github.com";
  const ref = env["GITHUB_REF"] ?? "";
  const revision = ref.startsWith("refs/pull/") ? ref : (env["GITHUB_SHA"] ?? ref);
  return text.replaceAll("{{defaultContext}}", `${server}/${repository}.git#${revision}`);
}

function contextsOf(inputs: Inputs, env: Environment): Record<string, string> {
  const contexts = inputs.pairs("build-contexts", "", { commas: false });
  return Object.fromEntries(
    Object.entries(contexts).map(([name, value]) => [name, withDefaultContext(value, env)]),
  );
}

/** Values, variables and files; for a git context the token that clones it goes without saying. */
function secretsOf(inputs: Inputs, context: string, env: Environment): NonNullable<BuildOptions["secrets"]> {
  const token = inputs.text("github-token");
  const server = env["GITHUB_SERVER_URL"] || "https://github.com";
  const isOwn = token !== "" && context.startsWith(`${server}/`);
  const values = inputs.pairs("secrets", undefined, { commas: false });
  for (const [id, value] of Object.entries(values))
    if (value === undefined)
      throw new InvalidArgumentError(
        `the input secrets has no value for ${JSON.stringify(id)}: expecting id=value`,
      );
  const variables = Object.entries(inputs.pairs("secret-envs", ""));
  const files = Object.entries(inputs.pairs("secret-files", "", { commas: false }));
  return {
    ...(isOwn && { GIT_AUTH_TOKEN: token }),
    ...values,
    ...Object.fromEntries(variables.map(([id, name]) => [id, { env: name || id }])),
    ...Object.fromEntries(files.map(([id, file]) => [id, { file }])),
  };
}

/**
 * Images that go somewhere carry where they come from: with all details when the repository is public, without build arguments
 * when it is not (docker/build-push-action context.ts). Engines may not take them, so what is loaded has none.
 */
function defaultProvenance(
  inputs: Inputs,
  { outputs = [] }: BuildOptions,
  { env, isPublic }: BuildFacts,
): string | undefined {
  const isAsked = inputs.text("sbom") !== "" || inputs.text("attests") !== "";
  const goesOut = inputs.flag("push") || outputs.some(({ type }) => type === "image" || type === "registry");
  const isLoaded = (inputs.flag("load") ?? false) || outputs.some(({ type }) => type === "docker");
  if (isAsked || !goesOut || isLoaded) return undefined;
  const run = `${env["GITHUB_SERVER_URL"]}/${env["GITHUB_REPOSITORY"]}/actions/runs/${env["GITHUB_RUN_ID"]}/attempts/${env["GITHUB_RUN_ATTEMPT"] ?? "1"}`;
  const builder = env["GITHUB_RUN_ID"] ? `,builder-id=${run}` : "";
  return isPublic ? `mode=max${builder}` : `mode=min,inline-only=true${builder}`;
}
