import {
  type Attachable,
  type ExportTarget,
  auth,
  content,
  fileSend,
  fileSync,
  loadSshAgents,
  secrets,
  ssh,
  upload,
} from "../session/index.js";
import { contentStores } from "./content-stores.js";
import { isOlderThan } from "./daemon-version.js";
import type { Inputs } from "./inputs.js";
import type { SolvePlan } from "./solve-plan.js";
import { registryHosts } from "./registry-hosts.js";
import { secretSources } from "./secret-sources.js";
import type { TargetRun } from "./target-run.js";
import { uploadsWithoutZstd } from "./zstd-context.js";

/** What receives the results of a build, by the export's index, and who is told when one begins to come. */
export interface ResultTargets {
  targets: ReadonlyMap<number, ExportTarget>;
  onExport?: (() => void) | undefined;
}

/** Everything the builder may ask of us during this build, and nothing else; of its directories `locals` where not all. */
export async function sessionServices(
  plan: SolvePlan,
  run: TargetRun,
  { locals = plan.inputs.locals, ...results }: ResultTargets & { locals?: Inputs["locals"] | undefined },
): Promise<Attachable[]> {
  return [
    ...(await fetchServices(plan, run)),
    ...(await contextServices({ ...plan, inputs: { ...plan.inputs, locals } }, run)),
    ...resultServices(run, results),
    ...(await contentServices(plan, run)),
  ];
}

/** What fetching from elsewhere takes: credentials, secrets, ssh agents. */
export async function fetchServices({ serves, ...plan }: SolvePlan, run: TargetRun): Promise<Attachable[]> {
  const { redactor, sink, node } = run;
  const { env, dockerConfig } = run.resources;
  const sources = await secretSources(serves.secrets, env, redactor);
  // Authorities are no secret: what a step prints of them stays.
  const publicValues: Buffer[] = [];
  for (const [id, text] of Object.entries(plan.trust?.secrets ?? {})) {
    const value = Buffer.from(text, "latin1");
    publicValues.push(value);
    sources.set(id, { type: "value", value });
  }
  const services: Attachable[] = [
    auth({
      env,
      dockerConfig,
      sink,
      credentials: serves.credentials,
      hosts: await registryHosts(plan, node.files, (text) => run.warn(text)),
      onSecret: (secret) => redactor.add(secret),
    }),
    secrets(sources, {
      onSecret: (value) => {
        if (!publicValues.some((text) => text.equals(value))) redactor.add(value);
      },
    }),
  ];
  const agents = await loadSshAgents(serves.ssh, env);
  return agents.size > 0 ? [...services, ssh(agents)] : services;
}

/** Directories and archives of this side. */
async function contextServices({ inputs, serves, epoch }: SolvePlan, run: TargetRun): Promise<Attachable[]> {
  const { failures, node, signal } = run;
  const services: Attachable[] = [];
  if (inputs.locals.size > 0) {
    const onWarning = (text: string) => run.warn(text);
    const onOlder = epoch && {
      than: new Date(Number(epoch.value) * 1000),
      told: (name: string, count: number, path: string) =>
        name === "dockerfile" || path === ".dockerignore"
          ? undefined
          : run.warn(olderFiles({ name, count, path }, epoch.value)),
    };
    const { contextRace: onRace } = serves;
    services.push(
      fileSync(inputs.locals, { onWarning, onError: failures.add, onRace, ...(onOlder && { onOlder }) }),
    );
  }
  if (inputs.uploads.size > 0) {
    const isOld = await isOlderThan(node.client, { major: 0, minor: 34 }, signal);
    const archives = isOld ? uploadsWithoutZstd(inputs.uploads, failures.add) : inputs.uploads;
    services.push(upload(archives, { onError: failures.add }));
  }
  return services;
}

/** Their times stay in the image: BuildKit takes back what is later than the epoch, and nothing else. */
function olderFiles(
  { name, count, path }: { name: string; count: number; path: string },
  epoch: string,
): string {
  const files = count === 1 ? "1 file" : `${count} files`;
  return `${files} of ${name} ${count === 1 ? "is" : "are"} older than SOURCE_DATE_EPOCH=${epoch}, such as ${path}: the image keeps the times, which another clone may not have; a fresh clone has none that are older, and SOURCE_DATE_EPOCH=0 keeps none`;
}

function resultServices({ failures, late }: TargetRun, { targets, onExport }: ResultTargets): Attachable[] {
  if (late) return [late.receiver];
  if (targets.size === 0) return [];
  return [fileSend(targets, { onBegin: () => onExport?.(), onFailure: failures.addFatal })];
}

/** Blobs of layouts, local caches and the engine's images. */
async function contentServices(plan: SolvePlan, run: TargetRun): Promise<Attachable[]> {
  const { images } = run;
  const stores = await contentStores(plan, run.locks);
  // One service for all: images of the engine add theirs while the build runs.
  for (const [id, store] of stores) images?.stores.set(id, store);
  const served = images?.stores ?? stores;
  if (run.late) run.late.stores = served;
  const services = run.late || served.size > 0 || images ? [content(served)] : [];
  if (!plan.policySession) return services;
  const { sourceDecider } = await import("./policy/decide-source.js");
  return [...services, sourceDecider(run, plan.sourceRules)];
}
