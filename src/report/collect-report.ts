import type { BuildEvent, BuildExplanation, EventSink, NetworkReport, VertexWarning } from "../core/index.js";
import { CollectedStep } from "./collected-step.js";
import { KeptLogs } from "./kept-logs.js";
import { type ReportOutcome, modelOf } from "./model-of.js";
import type { ReportModel } from "./report-model.js";

/** Warnings and messages that a report keeps. */
const mostWarnings = 1000;
/** Requests of the network that it lists. */
const mostRequests = 1000;

/** Takes the events of one build and gives what a report shows of it. */
export interface ReportCollector extends EventSink {
  /** The model of what has happened so far, and of what came out. May be called more than once. */
  model(outcome?: ReportOutcome): ReportModel;
}

/**
 * A sink that keeps what a report of a build needs. Give it to a build as `onEvent`, or beside a display with
 * `joinSinks`. It keeps a bounded part of each log, and writes nothing.
 */
export function collectReport(): ReportCollector {
  const steps = new Map<string, CollectedStep>();
  const logs = new KeptLogs();
  const warnings: VertexWarning[] = [];
  const messages: string[] = [];
  let builder = "";
  let network: NetworkReport | undefined;
  let explained: BuildExplanation | undefined;
  const take = (event: BuildEvent): void => {
    if (event.type === "start") builder = event.builder;
    else if (event.type === "message" && messages.length < mostWarnings) messages.push(event.text);
    else if (event.type === "network") network = joinedNetwork(network, event);
    else if (event.type === "explained") explained = joinedExplanation(explained, event);
    if (event.type !== "status") return;
    for (const vertex of event.vertexes) {
      let step = steps.get(vertex.digest);
      if (!step) steps.set(vertex.digest, (step = new CollectedStep(vertex)));
      step.update(vertex);
    }
    for (const status of event.statuses) steps.get(status.vertex)?.updateStatus(status);
    for (const { vertex, data } of event.logs) if (steps.has(vertex)) logs.append(vertex, data);
    for (const warning of event.warnings) if (warnings.length < mostWarnings) warnings.push(warning);
  };
  return Object.assign(take, {
    model: (outcome: ReportOutcome = {}) =>
      modelOf({ steps: [...steps.values()], logs, warnings, messages, builder, network, explained }, outcome),
  });
}

/** Of several nodes, what all of them asked. */
function joinedNetwork(before: NetworkReport | undefined, event: NetworkReport): NetworkReport {
  const { requests = [], left = 0, cachedSteps = [] } = before ?? {};
  return {
    requests: [...requests, ...event.requests].slice(0, mostRequests),
    left: left + event.left + Math.max(0, requests.length + event.requests.length - mostRequests),
    cachedSteps: [...cachedSteps, ...event.cachedSteps],
  };
}

function joinedExplanation(before: BuildExplanation | undefined, event: BuildExplanation): BuildExplanation {
  const { unknown = before?.unknown } = event;
  return { steps: [...(before?.steps ?? []), ...event.steps], ...(unknown !== undefined && { unknown }) };
}
