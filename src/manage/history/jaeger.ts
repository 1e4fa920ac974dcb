import { isJsonObject, type JsonObject } from "../../config/index.js";
import type { TraceSpan } from "./build-trace.js";

/** A trace in the JSON that Jaeger's UI imports (buildx v0.36 util/otelutil/jaeger). */
export interface JaegerTrace {
  data: { traceID: string; spans: JsonObject[]; processes: Record<string, JsonObject>; warnings: null }[];
}

/** Spans as Jaeger's UI takes them; each is a process of its own. */
export function toJaeger(spans: readonly TraceSpan[]): JaegerTrace {
  const processes: Record<string, JsonObject> = {};
  const converted = spans.map((span, index) => {
    const id = `p${index}`;
    processes[id] = processOf(span);
    return spanOf(span, id);
  });
  const [first] = spans;
  const traceID = first ? text(object(first["SpanContext"])["TraceID"]) : "";
  return { data: [{ traceID, spans: converted, processes, warnings: null }] };
}

function processOf(span: TraceSpan): JsonObject {
  const resource = list(span["Resource"]);
  const service = resource.find(({ Key }) => Key === "service.name");
  const tags = resource
    .filter((entry) => entry !== service)
    .map(tagOf)
    .sort((a, b) => (text(a["key"]) < text(b["key"]) ? -1 : 1));
  return {
    serviceName: service ? text(object(service["Value"])["Value"]) : "",
    tags: tags.length > 0 ? tags : null,
  };
}

function spanOf(span: TraceSpan, processID: string): JsonObject {
  const { traceID, spanID } = idsOf(span["SpanContext"]);
  const isSampled = object(span["SpanContext"])["TraceFlags"] === "01";
  const start = nanoseconds(span["StartTime"]);
  const logs = list(span["Events"]).map((event) => ({
    timestamp: Number(nanoseconds(event["Time"]) / 1000n),
    fields: [
      ...(event["Name"] ? [stringTag("event", text(event["Name"]))] : []),
      ...list(event["Attributes"]).map(tagOf),
      ...(event["DroppedAttributeCount"]
        ? [
            {
              key: "otel.event.dropped_attributes_count",
              type: "int64",
              value: event["DroppedAttributeCount"],
            },
          ]
        : []),
    ],
  }));
  return {
    traceID,
    spanID,
    ...(isSampled && { flags: 1 }),
    operationName: text(span["Name"]),
    references: [
      ...list(span["Links"]).map((link) => ({ refType: "FOLLOWS_FROM", ...idsOf(link["SpanContext"]) })),
      { refType: "CHILD_OF", ...idsOf(span["Parent"]) },
    ],
    startTime: Number(start / 1000n),
    duration: Number((nanoseconds(span["EndTime"]) - start) / 1000n),
    tags: tagsOf(span),
    logs: logs.length > 0 ? logs : null,
    processID,
    warnings: null,
  };
}

/** Kinds of spans by number (go.opentelemetry.io/otel/trace SpanKind); 1 is internal, which is not told. */
const spanKinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];

function tagsOf(span: TraceSpan): JsonObject[] {
  const tags = list(span["Attributes"]).map(tagOf);
  const library = object(span["InstrumentationLibrary"]);
  if (library["Name"]) {
    tags.push(stringTag("otel.library.name", text(library["Name"])));
    if (library["Version"]) tags.push(stringTag("otel.library.version", text(library["Version"])));
  }
  const kind = Number(span["SpanKind"] ?? 0);
  if (kind !== 1) tags.push(stringTag("span.kind", spanKinds[kind] ?? "unspecified"));
  const status = object(span["Status"]);
  const code = statusCode(status["Code"]);
  if (code === "Error") tags.push({ key: "error", type: "bool", value: true });
  if (code !== "Unset") tags.push(stringTag("otel.status_code", code.toUpperCase()));
  if (code !== "Unset" && status["Description"])
    tags.push(stringTag("otel.status_description", text(status["Description"])));
  return tags;
}

/** By name, or by number as spans of old daemons have it (go.opentelemetry.io/otel/codes). */
function statusCode(code: unknown): "Unset" | "Error" | "Ok" {
  if (code === "Error" || code === 1) return "Error";
  return code === "Ok" || code === 2 ? "Ok" : "Unset";
}

const tagTypes: Readonly<Record<string, string>> = {
  STRING: "string",
  BOOL: "bool",
  INT64: "int64",
  FLOAT64: "float64",
};

function tagOf(attribute: JsonObject): JsonObject {
  const { Type: type, Value: value } = object(attribute["Value"]);
  const known = tagTypes[text(type)];
  if (known !== undefined) return { key: attribute["Key"], type: known, value };
  return stringTag(text(attribute["Key"]), JSON.stringify(value));
}

function stringTag(key: string, value: string): JsonObject {
  return { key, type: "string", value };
}

function idsOf(context: unknown): { traceID: string; spanID: string } {
  const { TraceID, SpanID } = object(context);
  return { traceID: text(TraceID), spanID: text(SpanID) };
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d{0,20})?(Z|[+-]\d\d:\d\d)$/;

/** A time of RFC 3339 in nanoseconds, with the offset of the daemon's time zone; 0 for what is none. */
function nanoseconds(time: unknown): bigint {
  const [, whole, fraction = "", zone] = rfc3339.exec(text(time)) ?? [];
  const milliseconds = Date.parse(`${whole}${zone}`);
  if (Number.isNaN(milliseconds)) return 0n;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
