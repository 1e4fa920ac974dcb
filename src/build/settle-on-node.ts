import type { Readable } from "node:stream";
import { type Attachable, upload } from "../session/index.js";
import { InvalidArgumentError, randomId } from "../core/index.js";
import { withoutPolicy } from "./archive-policy.js";
import type { ConnectedNode } from "./connected-node.js";
import { requireDaemonFor } from "./daemon-limits.js";
import { memoryDir } from "./memory-dir.js";
import type { SolvePlan } from "./solve-plan.js";
import { type NodeFacts, planForNode } from "./plan-for-node.js";
import type { requiring } from "./network/require-proxy.js";
import type { JudgedSource } from "./policy/source-policy.js";
import { fetchDockerfile } from "./remote-dockerfile.js";
import { type RemotePolicy, refuseRemotePolicy } from "./remote-policy.js";
import { fetchServices } from "./session-services.js";
import { withSourceRules } from "./source-rules.js";
import type { TargetRun } from "./target-run.js";

/** A plan with all that depends on its node, ready to be solved there. */
export interface SettledPlan {
  plan: SolvePlan;
  /** What is pushed goes to the registry from the engine that built it. */
  enginePushes: boolean;
}

/**
 * The one step between a plan and its solve: refuses what the node cannot do, settles what depends on it, and lets its daemon
 * fetch what else the build must know before it begins.
 *
 * @throws InvalidArgumentError in buildx's words; BuildError for what cannot be fetched.
 */
export async function settleOnNode(given: SolvePlan, run: TargetRun): Promise<SettledPlan> {
  const { node, signal } = run;
  await requireDaemonFor(given, node.client, signal);
  const planned = await withSourceRules(given, node.client, signal);
  const facts = await nodeFacts(node, signal);
  const ready = planForNode(planned, facts);
  await watchNetwork(planned, run);
  await judgeSources(planned, run);
  if (planned.inputs.remotePolicy) await lookFor(planned.inputs.remotePolicy, planned, run);
  const complete = await withDockerfile(withoutArchivePolicy(ready, run), run);
  return {
    plan: await withImages(complete, run),
    enginePushes: pushesItself(node, facts),
  };
}

/** Loaded for the few builds that ask for images of the engine. */
async function withImages(plan: SolvePlan, run: TargetRun): Promise<SolvePlan> {
  if (plan.inputs.engineContexts.size === 0 && !plan.engineImages) return plan;
  const { withEngineImages } = await import("./engine-images/with-engine-images.js");
  return withEngineImages(plan, run);
}

/** @throws InvalidArgumentError for a node that has no proxy for its steps */
async function watchNetwork({ proxyNetwork }: SolvePlan, run: TargetRun): Promise<void> {
  if (!proxyNetwork) return;
  // Its executor is not BuildKit's own, and is not known to lead steps through the proxy: better refused than believed.
  if (run.node.driver.features.engineStore)
    throw new InvalidArgumentError(
      `the ${run.node.driver.name} driver cannot watch what a build asks of the network: proxyNetwork (--network-log, --allow-hosts) needs a container builder`,
    );
  const { NetworkWatch } = await import("./network/network-watch.js");
  run.network = new NetworkWatch(proxyNetwork, run.redactor);
}

/** Loaded for the few builds that have policies. */
async function judgeSources({ policies }: SolvePlan, run: TargetRun): Promise<void> {
  if (!policies) return;
  const { SourceJudge } = await import("./policy/source-judge.js");
  const { isIndex } = await import("./policy/is-index.js");
  const { redactor, sink, node } = run;
  const tell = ({ source, verdict, reason, to }: JudgedSource) =>
    sink({
      type: "message",
      level: verdict === "deny" ? "warning" : "info",
      text: [`policy: ${source} is ${verdict === "deny" ? "denied" : `replaced by ${to}`}`, reason ?? []]
        .flat()
        .join(": "),
    });
  run.judge = new SourceJudge({
    ...policies,
    redactor,
    tell,
    isIndex: (digest, ending) => isIndex(node.client, digest, ending),
  });
}

/** What a plan may depend on of the node that it is for. */
export async function nodeFacts(node: ConnectedNode, signal: AbortSignal | undefined): Promise<NodeFacts> {
  const { client, driver, engine } = node;
  return {
    driverName: driver.name,
    engineStore: driver.features.engineStore,
    features: await driver.nodeFeatures(client, { signal }),
    endpoint: engine?.name,
  };
}

/** Whether what is pushed goes to the registry from the engine that built it. */
export function pushesItself({ engine }: ConnectedNode, { features }: NodeFacts): boolean {
  return engine !== undefined && !features.directPush;
}

/** Lets the builder look into a context of its own for a policy. */
async function lookFor(
  policy: RemotePolicy,
  plan: SolvePlan,
  run: TargetRun,
  more: readonly Attachable[] = [],
): Promise<void> {
  const { node, sink, signal } = run;
  const attachables = [...(await fetchServices(plan, run)), ...more];
  const { client } = node;
  const by = await judgedBy(plan, run);
  await judged(run, () => refuseRemotePolicy(policy, { client, attachables, ...by, sink, signal }));
}

/** What decides on sources that are fetched before the build. */
async function judgedBy(plan: SolvePlan, run: TargetRun) {
  const { sourcePolicy, policySession, sourceRules } = plan;
  if (!policySession) return { sourcePolicy };
  const { sourceDecider } = await import("./policy/decide-source.js");
  return { sourcePolicy, policySession: sourceDecider(run, sourceRules), needs: needsOf(plan) };
}

/** What a daemon must know, lest it leave it out. */
export function needsOf({
  proxyNetwork,
  policies,
  sourceRules,
  policySession,
}: SolvePlan): Parameters<typeof requiring>[0] {
  const isPinned = sourceRules !== undefined && policySession === true;
  return { proxy: proxyNetwork !== undefined, policySession: policies !== undefined || isPinned };
}

/** A solve on the way; what fails on this side says better why it failed. */
async function judged<T>({ failures, signal }: TargetRun, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signal?.aborted ? error : (failures.all[0] ?? error);
  }
}

/** The plan with an archive that does not come to its end when a policy is in it. */
function withoutArchivePolicy(plan: SolvePlan, run: TargetRun): SolvePlan {
  const { archivePolicy: path } = plan.inputs;
  if (path === undefined) return plan;
  const lookByBuilder = (read: () => Readable) => {
    const id = randomId();
    const archive = upload(new Map([[id, read()]]));
    return lookFor({ url: `http://buildkit-session/${id}`, path }, plan, run, [archive]);
  };
  const uploads = new Map(
    [...plan.inputs.uploads].map(
      ([id, archive]) => [id, withoutPolicy(archive, { path, lookByBuilder })] as const,
    ),
  );
  return { ...plan, inputs: { ...plan.inputs, uploads } };
}

/** The plan with the Dockerfile that was given as a URL. */
async function withDockerfile(plan: SolvePlan, run: TargetRun): Promise<SolvePlan> {
  const { node, sink, signal } = run;
  const { dockerfileUrl } = plan.inputs;
  if (dockerfileUrl === undefined) return plan;
  const { client } = node;
  const by = await judgedBy(plan, run);
  const Dockerfile = await judged(run, () => fetchDockerfile(dockerfileUrl, { client, ...by, sink, signal }));
  const locals = new Map([...plan.inputs.locals, ["dockerfile", memoryDir({ Dockerfile })] as const]);
  return { ...plan, inputs: { ...plan.inputs, locals } };
}
