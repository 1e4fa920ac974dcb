import { parseGoDuration } from "../../config/index.js";
import { InvalidArgumentError, dateOf } from "../../core/index.js";
import type { BuildRecord } from "./build-record.js";

/** Filters of build records, for the daemon and for those that it does not apply. */
export interface HistoryFilter {
  /** As BuildHistoryRequest.Filter takes it: all conditions as one. */
  request: string[];
  matches(record: BuildRecord): boolean;
}

type Matcher = (record: BuildRecord) => boolean;

const condition = /^([^!=<>]*)(!=|=|<=|<|>=|>)(.*)$/s;

/**
 * Reads filters as `history ls --filter` takes them; all must hold (buildx v0.36 commands/history/utils.go).
 * `ref`, `repository` and `status` with `=` or `!=`; `startedAt`, `completedAt` (a time, or a duration ago) and `duration` with
 * `<`, `<=`, `>` or `>=`.
 *
 * @throws InvalidArgumentError naming the filter.
 */
export function parseHistoryFilters(texts: readonly string[], now = Date.now()): HistoryFilter {
  const matchers: Matcher[] = [];
  const request: string[] = [];
  for (const text of texts) {
    const match = condition.exec(text);
    if (!match) throw new InvalidArgumentError(`invalid filter ${JSON.stringify(text)}`);
    const [, key = "", operator = "", value = ""] = match;
    const isComparison = operator.startsWith("<") || operator.startsWith(">");
    if (key === "ref" || key === "repository" || key === "status") {
      if (isComparison)
        throw new InvalidArgumentError(`invalid separator for ${JSON.stringify(text)}, expected = or !=`);
      matchers.push(textMatcher(key, operator, value));
      const equals = key === "status" ? "==" : "~=";
      request.push(`${key}${operator === "=" ? equals : operator}${value}`);
    } else if (key === "startedAt" || key === "completedAt" || key === "duration") {
      if (!isComparison)
        throw new InvalidArgumentError(
          `invalid separator for ${JSON.stringify(text)}, expected <=, <, >= or >`,
        );
      matchers.push(
        key === "duration" ? lengthMatcher(operator, value) : timeMatcher(key, operator, value, now),
      );
      request.push(text);
    } else throw new InvalidArgumentError(`unsupported filter ${JSON.stringify(text)}`);
  }
  return {
    request: request.length === 0 ? [] : [request.map(csvField).join(",")],
    matches: (record) => matchers.every((matcher) => matcher(record)),
  };
}

function textMatcher(key: "ref" | "repository" | "status", operator: string, value: string): Matcher {
  const field = (record: BuildRecord) => {
    if (key === "ref") return record.id;
    return key === "status" ? record.status : repositoryOf(record);
  };
  if (operator === "!=") return (record) => field(record) !== value;
  return key === "status" ? (record) => field(record) === value : (record) => field(record).includes(value);
}

/** The repository a build's context is from. */
function repositoryOf({ attrs }: BuildRecord): string {
  const source = attrs["vcs:source"];
  if (source !== undefined) return source;
  const [remote = ""] = (attrs["context"] ?? "").split("#");
  return remote;
}

function timeMatcher(
  key: "startedAt" | "completedAt",
  operator: string,
  value: string,
  now: number,
): Matcher {
  const ago = durationOf(value);
  const limit = ago === undefined ? Date.parse(value) : now - ago;
  if (Number.isNaN(limit) || (ago === undefined && !/^\d{4}-\d\d-\d\dT/.test(value)))
    throw new InvalidArgumentError(`invalid time ${value}`);
  // Whole seconds, as the daemon compares them.
  const seconds = Math.floor(limit / 1000);
  return ({ wire }) => {
    const time = key === "startedAt" ? wire.CreatedAt : wire.CompletedAt;
    return compare(time ? Math.floor(dateOf(time).getTime() / 1000) : 0, operator, seconds);
  };
}

function lengthMatcher(operator: string, value: string): Matcher {
  const limit = durationOf(value);
  if (limit === undefined) throw new InvalidArgumentError(`invalid duration ${value}`);
  return ({ completedAt, duration }) => compare(completedAt ? duration : 0, operator, limit);
}

function compare(value: number, operator: string, limit: number): boolean {
  if (operator === "<") return value < limit;
  if (operator === "<=") return value <= limit;
  return operator === ">" ? value > limit : value >= limit;
}

function durationOf(text: string): number | undefined {
  try {
    return parseGoDuration(text);
  } catch {
    return undefined;
  }
}

/** A field as Go's csv.Writer puts it (fieldNeedsQuotes). */
function csvField(text: string): string {
  const needsQuotes = /["\r\n,]/.test(text) || /^\s/.test(text) || text === "\\.";
  return needsQuotes ? `"${text.replaceAll('"', '""')}"` : text;
}
