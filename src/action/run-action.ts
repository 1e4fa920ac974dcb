import type { Writable } from "node:stream";
import { type BuildResult, build } from "../build/index.js";
import { type Environment, isJsonObject, parseGoBool } from "../config/index.js";
import { type EventSink, SlipwayError, messageOf, parseJson } from "../core/index.js";
import { readBounded } from "../fs/index.js";
import { loginToRegistry } from "../manage/index.js";
import { display, joinSinks } from "../progress/index.js";
import { collectReport } from "../report/index.js";
import { buildInputs } from "./build-inputs.js";
import { type RecordOptions, keepRecord, refOf } from "./build-record.js";
import { type StepBuilder, stepBuilder } from "./builder-inputs.js";
import { cleanUp } from "./clean-up.js";
import { Inputs } from "./inputs.js";
import { buildSummary } from "./summary.js";
import { Workflow } from "./workflow.js";

/** What the action gets from its runner. */
export interface ActionContext {
  env: Environment;
  /** The job's log. */
  log: Writable;
  signal: AbortSignal;
}

/** Largest event payload that is read. */
const largestEvent = 64 << 20;

/**
 * The GitHub action: logs in, sees to a builder, builds, and tells the job what came of it. The runner runs it again at the
 * job's end, when it takes back what it made.
 *
 * @returns the exit code
 */
export async function runAction({ env, log, signal }: ActionContext): Promise<number> {
  const workflow = new Workflow(env, log);
  const inputs = new Inputs(env);
  try {
    if (workflow.state("isPost") === "true") {
      await cleanUp(workflow, signal);
      return 0;
    }
    await workflow.saveState("isPost", "true");
    await login(inputs, workflow, signal);
    const step = await stepBuilder(inputs, env, signal);
    await tellBuilder(step, inputs, workflow);
    if (inputs.flag("build") ?? true) return await buildStep(step, inputs, workflow, signal);
    const progress = display("auto", log, env);
    try {
      await step.builder.boot({ onEvent: progress, signal });
    } finally {
      await progress.close();
    }
    return 0;
  } catch (error) {
    workflow.annotate("error", "slipway", messageOf(error));
    return 1;
  }
}

async function login(inputs: Inputs, workflow: Workflow, signal: AbortSignal): Promise<void> {
  const [username, password] = [inputs.text("username"), inputs.text("password")];
  if (username === "" && password === "") return;
  const server = inputs.text("registry");
  await loginToRegistry({ env: workflow.env, username, password, signal, ...(server && { server }) });
  if (inputs.flag("logout") ?? true) await workflow.saveState("registry", server || "docker.io");
}

async function tellBuilder(
  { builder, isNew }: StepBuilder,
  inputs: Inputs,
  workflow: Workflow,
): Promise<void> {
  if (isNew && (inputs.flag("cleanup") ?? true)) {
    await workflow.saveState("builder", builder.name);
    await workflow.saveState("keepState", String(inputs.flag("keep-state") ?? false));
  }
  await workflow.setOutput("name", builder.name);
  await workflow.setOutput("driver", builder.driver);
}

/** Builds, and gives the exit code: what the display has told of a failure is not told again. */
async function buildStep(
  { builder }: StepBuilder,
  inputs: Inputs,
  workflow: Workflow,
  signal: AbortSignal,
): Promise<number> {
  const { env, log } = workflow;
  const options = buildInputs(inputs, { env, isPublic: await isPublic(env, signal) });
  const progress = display("auto", log, env);
  const collector = collectReport();
  const all = joinSinks(progress, collector);
  const shown = isOff(env, "DOCKER_BUILD_CHECKS_ANNOTATIONS") ? withoutWarnings(all) : all;
  let isTold = false;
  const onEvent: EventSink = (event) => {
    isTold ||= event.type === "end" && event.failure !== undefined;
    shown(event);
  };
  onEvent.ready = () => shown.ready?.();
  let result: BuildResult | undefined;
  let error: Error | undefined;
  try {
    result = await build({ ...options, builder, env, signal, onEvent });
  } catch (failure) {
    error = failure instanceof Error ? failure : new Error(String(failure));
  }
  await progress.close();
  if (result) await tellResult(result, workflow);
  if (!result?.call) {
    const ref = result?.ref ?? refOf(error);
    const record = ref && (await recordOf({ builder, ref, env, signal }, workflow));
    const model = collector.model({ ...(result && { result }), ...(error && { error }) });
    if (!isOff(env, "DOCKER_BUILD_SUMMARY"))
      await workflow.addSummary(buildSummary(model, { digest: result?.digest, record: record || undefined }));
  }
  if (error && !isTold) throw error;
  return error ? 1 : 0;
}

async function tellResult(result: BuildResult, workflow: Workflow): Promise<void> {
  await workflow.setOutput("imageid", result.imageId ?? "");
  await workflow.setOutput("digest", result.digest ?? "");
  await workflow.setOutput("metadata", JSON.stringify(result.metadata, undefined, 2));
  const { call } = result;
  if (!call) return;
  workflow.print(call.text);
  const { warnings } = isJsonObject(call.json) ? call.json : {};
  for (const warning of Array.isArray(warnings) ? warnings.filter((one) => isJsonObject(one)) : [])
    workflow.annotate(
      "warning",
      String(warning["ruleName"]),
      String(warning["detail"] ?? warning["description"]),
    );
  if (call.status !== 0)
    throw new SlipwayError("CHECK_FAILED", `${call.request.name} ended with the status ${call.status}`);
}

/** That the record cannot be kept does no harm to what was built. */
async function recordOf(options: RecordOptions, workflow: Workflow): Promise<string | undefined> {
  if (isOff(options.env, "DOCKER_BUILD_RECORD_UPLOAD")) return undefined;
  try {
    return await keepRecord(options);
  } catch (error) {
    workflow.annotate("warning", "Build record", messageOf(error));
    return undefined;
  }
}

function isOff(env: Environment, variable: string): boolean {
  return parseGoBool(env[variable] ?? "") === false;
}

function withoutWarnings(sink: EventSink): EventSink {
  const filtered: EventSink = (event) => sink(event.type === "status" ? { ...event, warnings: [] } : event);
  filtered.ready = () => sink.ready?.();
  return filtered;
}

/** What the event that the workflow runs for says of the repository. */
async function isPublic(env: Environment, signal: AbortSignal): Promise<boolean> {
  const path = env["GITHUB_EVENT_PATH"];
  if (!path) return false;
  const event = parseJson((await readBounded(path, { limit: largestEvent, signal })).toString("utf8"));
  const repository = isJsonObject(event) ? event["repository"] : undefined;
  return isJsonObject(repository) && repository["private"] === false;
}
