import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type { Builder } from "../builder/index.js";
import type { Environment } from "../config/index.js";
import { SlipwayError, isSlipwayError, parseJson } from "../core/index.js";
import { bundleBuilds, history } from "../manage/index.js";

/** A build, and the job that keeps its record. */
export interface RecordOptions {
  builder: Builder;
  /** `<builder>/<node>/<id>`. */
  ref: string;
  env: Environment;
  signal: AbortSignal;
}

/** Most bytes of a record. */
const largestRecord = 256 << 20;

/**
 * Keeps what the builder knows of a build as an artifact of the job, in the form that `history import` and Docker Desktop read.
 *
 * @returns the artifact's name; undefined where a job has no artifacts (`ACTIONS_RESULTS_URL`)
 * @throws SlipwayError for what the service refuses
 */
export async function keepRecord({ builder, ref, env, signal }: RecordOptions): Promise<string | undefined> {
  const service = artifactService(env);
  if (!service) return undefined;
  const id = ref.slice(ref.lastIndexOf("/") + 1);
  await using builds = await history({ builder: builder.name, env, signal });
  const record = (await builds.records({ signal })).find((one) => one.id === id);
  if (!record) return undefined;
  const content = await buffer(await bundleBuilds(builds, [record], { signal }));
  if (content.length > largestRecord) return undefined;
  const repository = (env["GITHUB_REPOSITORY"] ?? "build").replaceAll("/", "~");
  const name = `${repository}~${id.slice(0, 6).toUpperCase()}.dockerbuild`;
  await upload(
    service,
    { name, content, days: Number(env["DOCKER_BUILD_RECORD_RETENTION_DAYS"]) || 0 },
    signal,
  );
  return name;
}

interface ArtifactService {
  url: string;
  token: string;
  /** How the service knows the run and the job. */
  ids: { workflow_run_backend_id: string; workflow_job_run_backend_id: string };
}

/** The service is told of in the job's environment, run and job in the token's scopes (actions/toolkit artifact). */
function artifactService(env: Environment): ArtifactService | undefined {
  const { ACTIONS_RESULTS_URL: url, ACTIONS_RUNTIME_TOKEN: token } = env;
  if (!url || !token) return undefined;
  const scopes = scopesOf(token).find((scope) => scope.startsWith("Actions.Results:"));
  const [, run, job] = scopes?.split(":") ?? [];
  if (!run || !job) return undefined;
  const base = url.endsWith("/") ? url : `${url}/`;
  return { url: base, token, ids: { workflow_run_backend_id: run, workflow_job_run_backend_id: job } };
}

function scopesOf(token: string): string[] {
  try {
    const claims = parseJson(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const scopes: unknown = (claims as { scp?: unknown } | null)?.scp;
    return typeof scopes === "string" ? scopes.split(" ") : [];
  } catch {
    return []; // no token of GitHub's
  }
}

async function upload(
  service: ArtifactService,
  { name, content, days }: { name: string; content: Buffer; days: number },
  signal: AbortSignal,
): Promise<void> {
  const expires = days > 0 ? { expires_at: new Date(Date.now() + days * 86_400_000).toISOString() } : {};
  const begun = await ask(
    service,
    "CreateArtifact",
    { ...service.ids, name, version: 4, ...expires },
    signal,
  );
  const address = begun["signed_upload_url"];
  if (typeof address !== "string") throw refused("CreateArtifact", "no address");
  const sent = await fetch(address, {
    method: "PUT",
    body: new Uint8Array(content),
    headers: { "x-ms-blob-type": "BlockBlob", "content-type": "application/gzip" },
    signal,
  });
  if (!sent.ok) throw refused("the upload", `status ${sent.status}`);
  const hash = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  await ask(
    service,
    "FinalizeArtifact",
    { ...service.ids, name, size: String(content.length), hash },
    signal,
  );
}

async function ask(
  { url, token }: ArtifactService,
  method: string,
  request: object,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}twirp/github.actions.results.api.v1.ArtifactService/${method}`, {
    method: "POST",
    body: JSON.stringify(request),
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    signal,
  });
  const answer = response.ok ? ((await response.json()) as Record<string, unknown>) : {};
  if (answer["ok"] !== true) throw refused(method, `status ${response.status}`);
  return answer;
}

function refused(what: string, why: string): SlipwayError {
  return new SlipwayError("ACTION_ARTIFACT", `the service for artifacts refused ${what}: ${why}`);
}

/** What of a build's end is known of its record. */
export function refOf(error: unknown): string | undefined {
  return isSlipwayError(error, "BUILD_FAILED") ? (error as { ref?: string }).ref : undefined;
}
