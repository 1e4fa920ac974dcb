import { join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { sourcepolicy } from "../buildkit/index.js";
import {
  type DockerConfig,
  type Environment,
  buildxConfigDir,
  loadDockerConfig,
  proxyBuildArgs,
  resolveDockerEndpoint,
} from "../config/index.js";
import { blankSecrets, blankValue } from "../core/index.js";
import { digestLocals, inputDigest } from "./input-digest.js";
import { readBuildOptions } from "./check-options.js";
import { planKinds } from "./option-kinds.js";
import { type SolvePlan, planBuild } from "./solve-plan.js";
import type { BuildPlan, PlanOptions } from "./build-plan.js";

/** A plan is shown as for a builder of the default driver. */
const asContainerBuilder = { driverName: "docker-container", defaultLoad: false, engineStore: false };

/** Functions have no digest. */
const undigested = "what policies convert is not part of the input digest";

/** See {@link plan}. */
export async function planData(given: PlanOptions): Promise<BuildPlan> {
  const options = readBuildOptions("plan()", given, planKinds);
  const env = options.env ?? process.env;
  const { signal } = options;
  const dockerConfig = await loadDockerConfig(env, { signal });
  const engineHost = await hostOf(env, dockerConfig);
  const facts = { env, dockerConfig, engineHost, nodeId: "", ...asContainerBuilder, signal };
  const planned = await planBuild(options, facts);
  const { inputs, caches, exports } = planned;
  const defaultCache = join(buildxConfigDir(env), "slipway", "digests");
  const cacheDir = options.cacheDir === false ? undefined : (options.cacheDir ?? defaultCache);
  const locals = await digestLocals(inputs, {
    cacheDir,
    signal,
  });
  const proxies = new Map(
    [...proxyBuildArgs(dockerConfig, engineHost ?? "")].map(([name, value]) => [`build-arg:${name}`, value]),
  );
  for (const name of Object.keys(options.buildArgs ?? {})) proxies.delete(`build-arg:${name}`);
  const secrets = Object.entries(options.secrets ?? {})
    .flatMap(([id, source]) => (source === undefined ? [] : [id]))
    .sort();
  return {
    inputDigest: inputDigest(planned, locals, { omit: proxies, secrets }),
    frontend: planned.frontend,
    attrs: shownAttrs(planned),
    locals: Object.fromEntries(
      [...locals].map(([name, digest]) => {
        const dir = inputs.locals.get(name);
        return [name, { ...digest, ...(dir?.type === "directory" && { path: dir.path }) }];
      }),
    ),
    exports: exports.map(({ type, attrs, destination }) => ({
      type,
      attrs: blankValue({ ...attrs }),
      destination: { kind: destination.kind, ...("path" in destination && { path: destination.path }) },
    })),
    caches: { imports: blankValue([...caches.imports]), exports: blankValue([...caches.exports]) },
    entitlements: [...planned.entitlements],
    secrets,
    ssh: planned.serves.ssh.map(({ id }) => id),
    platforms: [...planned.platforms],
    ...(planned.sourcePolicy && {
      sourcePolicy: toJson(sourcepolicy.PolicySchema, planned.sourcePolicy),
    }),
    warnings: [...planned.warnings, ...(planned.policies ? [undigested] : [])].map(blankSecrets),
  };
}

/** Attributes without passwords in URLs and tokens of caches, which BuildKit gets and nobody else. */
function shownAttrs({ attrs, caches }: SolvePlan): Record<string, string> {
  const shown = blankValue({ ...attrs });
  if (attrs["cache-imports"] !== undefined)
    shown["cache-imports"] = JSON.stringify(
      caches.imports.map(({ type, attrs: own }) => ({ Type: type, Attrs: blankValue({ ...own }) })),
    );
  return shown;
}

/** The engine's host, which decides on proxies. A context that cannot be resolved has none. */
async function hostOf(env: Environment, config: DockerConfig): Promise<string | undefined> {
  return resolveDockerEndpoint(env, config).then(
    ({ host }) => host,
    () => undefined,
  );
}
