import type { BuildConfig, BuildDetails, BuildFailure, NamedValue } from "../../../manage/index.js";
import { formatSource, goDuration } from "../../../progress/index.js";
import { formatGoJson } from "../../format/index.js";
import { configFields } from "./inspect-config.js";
import { formatGoTime, formatNanoTime } from "./format-time.js";

/** The document of `history inspect` as templates see it: Go's field names, times and spans as Go prints them. */
export function inspectFields(details: BuildDetails): Record<string, unknown> {
  const { createdAt, completedAt, duration } = details.record;
  return {
    ...fieldsOf(details),
    StartedAt: formatGoTime(createdAt),
    CompletedAt: completedAt ? formatGoTime(completedAt) : undefined,
    Duration: goDuration(duration),
  };
}

/** The document with its fields as JSON has them (buildx inspectOutput). */
function fieldsOf(details: BuildDetails): Record<string, unknown> {
  const { record, failure } = details;
  const { CreatedAt, CompletedAt } = record.wire;
  const zero = { seconds: 0n, nanos: 0 };
  return {
    Name: record.name,
    Ref: record.id,
    Context: details.context ?? "",
    Dockerfile: details.dockerfile ?? "",
    VCSRepository: details.vcsRepository ?? "",
    VCSRevision: details.vcsRevision ?? "",
    Target: details.target ?? "",
    Platform: details.platforms,
    KeepGitDir: details.keepGitDir,
    NamedContexts: details.namedContexts.map(pair),
    StartedAt: CreatedAt && formatNanoTime({ ...zero, ...CreatedAt }, "local"),
    CompletedAt: CompletedAt && formatNanoTime({ ...zero, ...CompletedAt }, "local"),
    // Nanoseconds, as Go's durations are.
    Duration: Math.round(record.duration * 1e6),
    Status: record.status === "error" ? "failed" : record.status,
    Error: failure && errorFields(failure),
    NumCompletedSteps: record.steps.completed,
    NumTotalSteps: record.steps.total,
    NumCachedSteps: record.steps.cached,
    BuildArgs: details.buildArgs.map(pair),
    Labels: details.labels.map(pair),
    Config: configOf(details.config),
    Materials: details.materials.map(({ uri, digests }) => ({ URI: uri, Digests: digests })),
    Attachments: details.attachments.map(({ digest, platform = "", type }) => ({
      Digest: digest,
      Platform: platform,
      Type: type,
    })),
    Errors: details.problems,
  };
}

/** Fields that Go's JSON has even when they are empty. */
const kept = new Set(["Ref", "NumCompletedSteps", "NumTotalSteps", "NumCachedSteps", "Config"]);

/** What `--format json` prints. */
export function inspectJson(details: BuildDetails): string {
  return `${formatGoJson(withoutEmpty(fieldsOf(details)), 2)}\n`;
}

/** Where BuildKit's errors point at, as it prints them. */
export function sourceTexts({ sources }: BuildFailure): string {
  return sources.map(({ source, ranges }) => `${formatSource(source, ranges)}\n`).join("");
}

function errorFields(failure: BuildFailure) {
  const { code, message, step, stack } = failure;
  return {
    Code: code,
    Message: message,
    Name: step?.name ?? "",
    Logs: step?.logs ?? [],
    // Bytes, which JSON has in base64.
    Sources: Buffer.from(sourceTexts(failure)).toString("base64"),
    Stack: Buffer.from(stack).toString("base64"),
  };
}

function configOf(config: BuildConfig): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { key, field } of configFields) {
    const isList = key === "extraHosts" || key === "noCacheFilter";
    const isFlag = key === "multiPlatform" || key === "noCache";
    fields[field] = config[key] ?? (isList ? [] : isFlag ? false : "");
  }
  // As Go's struct has them.
  const { Network, ExtraHosts, ...rest } = fields;
  return { Network, ExtraHosts, ...rest, RestRaw: config.rest.map(pair) };
}

function pair({ name, value }: NamedValue) {
  return { Name: name, Value: value };
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, field]) => kept.has(key) || !isEmpty(field))
      .map(([key, field]) => [key, withoutEmpty(field)]),
  );
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : !value;
}
