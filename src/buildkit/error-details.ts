import { parseJson } from "../core/index.js";
import { type JsonValue, fromJson } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { type ExecOp, OpSchema } from "./gen/pb/ops_pb.js";
import type { SourceInfo, SourceRange } from "../core/index.js";

/** What BuildKit tells about an error besides its text (solver/errdefs, gateway ExitMessage, policysession). */
export type ErrorDetail =
  /** The step that failed, as the status stream names it. */
  | { type: "vertex"; digest: string }
  /** The place in the Dockerfile. */
  | { type: "source"; source?: SourceInfo; ranges: SourceRange[] }
  /** How the process of a step ended; 255 when it could not be started. */
  | { type: "exit"; code: number }
  /** A subrequest (`--call`) that the frontend does not know. */
  | { type: "subrequest"; name: string }
  /** A capability that the frontend does not have. */
  | { type: "frontend-cap"; name: string }
  /** The frontend that failed, and the image it came from. */
  | { type: "frontend"; name: string; source: string }
  /** A feature that the compatibility version of the request does not have. */
  | { type: "compatibility"; version: number; feature: string }
  /** A source policy's refusal. */
  | { type: "policy"; action: "allow" | "deny" | "convert"; messages: string[] }
  /** What was being solved, and the references of its mounts as they are now. */
  | { type: "solve"; inputIds: string[]; mountIds: string[]; exec?: ExecOp }
  /** Anything else: stacks, kinds that are newer than this library, values that cannot be read. */
  | { type: "other"; typeUrl: string; value: Uint8Array };

/**
 * Reads one detail of a `google.rpc.Status`. BuildKit sends Go's JSON of its messages under type URLs of its own,
 * `github.com/moby/buildkit/errdefs.Vertex+json` (util/grpcerrors). Known fields are picked one by one; what cannot be
 * read is kept as `other` (SEC-27).
 */
export function readErrorDetail({ typeUrl, value }: Pick<Any, "typeUrl" | "value">): ErrorDetail {
  const other: ErrorDetail = { type: "other", typeUrl, value };
  const read = readers[typeUrl.slice(typeUrl.lastIndexOf("/") + 1)];
  if (!read) return other;
  let json: unknown;
  try {
    json = parseJson(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString());
  } catch {
    return other;
  }
  return isFields(json) ? read(json) : other;
}

type Fields = Record<string, unknown>;

// No prototype: a type URL comes from outside.
const readers: Partial<Record<string, (json: Fields) => ErrorDetail>> = Object.assign(
  Object.create(null) as object,
  {
    "errdefs.Vertex+json": (json: Fields): ErrorDetail => ({ type: "vertex", digest: text(json["digest"]) }),
    "errdefs.Source+json": (json: Fields): ErrorDetail => {
      const source = isFields(json["info"]) ? sourceInfo(json["info"]) : undefined;
      return { type: "source", ...(source && { source }), ranges: list(json["ranges"]).map(sourceRange) };
    },
    "gatewayapi.ExitMessage+json": (json: Fields): ErrorDetail => ({
      type: "exit",
      code: number(json["Code"]),
    }),
    "errdefs.Subrequest+json": (json: Fields): ErrorDetail => ({
      type: "subrequest",
      name: text(json["name"]),
    }),
    "errdefs.FrontendCap+json": (json: Fields): ErrorDetail => ({
      type: "frontend-cap",
      name: text(json["name"]),
    }),
    "errdefs.Frontend+json": (json: Fields): ErrorDetail => ({
      type: "frontend",
      name: text(json["name"]),
      source: text(json["source"]),
    }),
    "errdefs.CompatibilityFeature+json": (json: Fields): ErrorDetail => ({
      type: "compatibility",
      version: number(json["version"]),
      feature: text(json["feature"]),
    }),
    "errdefs.Solve+json": (json: Fields): ErrorDetail => {
      const exec = failedExec(json["op"]);
      return {
        type: "solve",
        inputIds: texts(json["inputIDs"]),
        mountIds: texts(json["mountIDs"]),
        ...(exec && { exec }),
      };
    },
    "policysession.DecisionResponse+json": (json: Fields): ErrorDetail => ({
      type: "policy",
      action: policyAction(json["action"]),
      messages: list(json["denyMessages"]).map((message) => text(message["message"])),
    }),
  },
);

/** The RUN step of a pb.Op: as protobuf's JSON, or in older daemons as Go's, with the oneof as a field (BK solver/pb/json.go). */
function failedExec(op: unknown): ExecOp | undefined {
  if (!isFields(op)) return undefined;
  const { Op: older, ...fields } = op;
  const value = isFields(older) ? older : fields;
  try {
    const read = fromJson(OpSchema, { exec: (value["exec"] ?? value["Exec"] ?? null) as JsonValue }, lenient);
    return read.op.case === "exec" ? read.op.value : undefined;
  } catch {
    return undefined; // an older or a newer daemon
  }
}

const lenient = { ignoreUnknownFields: true };

const policyActions = ["allow", "deny", "convert"] as const;

// Go writes the enum by name (sourcepolicy/pb/json.go) and leaves 0 out.
function policyAction(value: unknown): (typeof policyActions)[number] {
  if (typeof value === "number") return policyActions[value] ?? "deny";
  if (value === undefined) return "allow";
  return policyActions.find((action) => action === text(value).toLowerCase()) ?? "deny";
}

function sourceInfo(json: Fields): SourceInfo {
  return {
    filename: text(json["filename"]),
    data: Buffer.from(text(json["data"]), "base64"),
    language: text(json["language"]),
  };
}

function sourceRange(json: Fields): SourceRange {
  return { start: position(json["start"]), end: position(json["end"]) };
}

function position(json: unknown): SourceRange["start"] {
  const fields = isFields(json) ? json : {};
  return { line: number(fields["line"]), character: number(fields["character"]) };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
