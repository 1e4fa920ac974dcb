import { isJsonObject } from "../../config/index.js";
import type { TraceSpan } from "./build-trace.js";

const secretPair = /(ghtoken|token|access_key_id|secret_access_key|session_token)=[^ ,]+/gi;
const githubToken = /(?:ghu|ghs)_[A-Za-z0-9]{36}|github_pat_\w{82}/g;

/** Spans without the credentials that commands in their attributes may hold (buildx v0.36 util/desktop/bundle/trace.go). */
export function sanitizeSpans(spans: readonly TraceSpan[]): TraceSpan[] {
  return spans.map(({ InstrumentationScope: _sameAsLibrary, ...span }) => {
    const { Attributes: attributes } = span;
    return Array.isArray(attributes) ? { ...span, Attributes: attributes.map(sanitizeAttribute) } : span;
  });
}

function sanitizeAttribute(attribute: unknown): unknown {
  if (!isJsonObject(attribute) || !isJsonObject(attribute["Value"])) return attribute;
  const { Type: type, Value: value } = attribute["Value"];
  if (type !== "STRING" || typeof value !== "string") return attribute;
  const clean = value.replace(secretPair, "$1=xxxxx").replace(githubToken, "xxxxx");
  return { ...attribute, Value: { Type: type, Value: clean } };
}
