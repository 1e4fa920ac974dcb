import type { BuildkitClient } from "../buildkit/index.js";
import type { DockerConfig, Environment } from "../config/index.js";
import { type EventSink, type Redactor, isError } from "../core/index.js";
import {
  type Attachable,
  type CacheLock,
  type ExportTarget,
  auth,
  content,
  fileSend,
  fileSync,
  loadSshAgents,
  parseSshSpec,
  policyVerifier,
  secrets,
  ssh,
  upload,
} from "../session/index.js";
import type { BuildOptions } from "./build-options.js";
import { contentStores } from "./content-stores.js";
import { isOlderThan } from "./daemon-version.js";
import type { EngineImages } from "./engine-images/engine-images.js";
import type { Failures } from "./failures.js";
import type { SolvePlan } from "./plan.js";
import { registryHosts } from "./registry-hosts.js";
import { secretSources } from "./secret-sources.js";
import { uploadsWithoutZstd } from "./zstd-context.js";

/** What {@link sessionServices} works with. */
export interface SessionContext {
  env: Environment;
  dockerConfig: DockerConfig;
  locks: ReadonlyMap<string, CacheLock>;
  client: BuildkitClient;
  /** Files of the node's configuration, which say how registries are spoken to. */
  files?: ReadonlyMap<string, Uint8Array> | undefined;
  targets: Map<number, ExportTarget>;
  sink: EventSink;
  /** Gets what fails on this side. */
  failures: Failures;
  /** Called when a result begins to come out. */
  onExport?: (() => void) | undefined;
  /** Gets the secrets that are handed out. */
  redactor: Redactor;
  /** The engine's images that the build may have. */
  images?: EngineImages | undefined;
}

/** Everything the builder may ask of us during this build, and nothing else. */
export async function sessionServices(
  plan: SolvePlan,
  options: BuildOptions,
  {
    env,
    dockerConfig,
    locks,
    client,
    files,
    targets,
    sink,
    failures,
    redactor,
    images,
    onExport,
  }: SessionContext,
): Promise<Attachable[]> {
  const { inputs } = plan;
  const onError = failures.add;
  const onWarning = (text: string) => sink({ type: "message", level: "warning", text });
  const services: Attachable[] = [
    auth({
      env,
      dockerConfig,
      sink,
      credentials: options.credentials,
      hosts: await registryHosts(plan, files, onWarning),
      onSecret: (secret) => redactor.add(secret),
    }),
    secrets(await secretSources(options.secrets ?? {}, env, redactor), {
      onSecret: (value) => redactor.add(value),
    }),
  ];
  if (inputs.locals.size > 0)
    services.push(fileSync(inputs.locals, { onWarning, onError, onRace: options.contextRace ?? "error" }));
  if (inputs.uploads.size > 0) {
    const isOld = await isOlderThan(client, { major: 0, minor: 34 }, options.signal);
    services.push(upload(isOld ? uploadsWithoutZstd(inputs.uploads, onError) : inputs.uploads, { onError }));
  }
  if (targets.size > 0)
    services.push(fileSend(targets, { onBegin: () => onExport?.(), onFailure: failures.addExport }));
  const agents = await loadSshAgents(plan.ssh.map(parseSshSpec), env);
  if (agents.size > 0) services.push(ssh(agents));
  const stores = await contentStores(plan, locks);
  // One service for all: images of the engine add theirs while the build runs.
  for (const [id, store] of stores) images?.stores.set(id, store);
  if (images || stores.size > 0) services.push(content(images?.stores ?? stores));
  if (images && plan.policySession)
    services.push(
      policyVerifier(async (request) => {
        try {
          return await images.decide(request);
        } catch (error) {
          if (isError(error)) onError(error);
          throw error;
        }
      }),
    );
  return services;
}
