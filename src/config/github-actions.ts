import { ConfigError, invalidConfig } from "./config-error.js";
import type { Environment } from "./environment.js";
import { parseGoBool } from "./go-bool.js";
import { isJsonObject, parseJsonObject } from "./json.js";
import { readConfigFile } from "./read-file.js";

/** Variables by group, each with its key in the result; a group counts only when all of it is set. */
const groups: readonly (readonly (readonly [variable: string, key?: string])[])[] = [
  [["GITHUB_ACTOR"], ["GITHUB_ACTOR_ID"], ["GITHUB_TRIGGERING_ACTOR"]],
  [["GITHUB_REF"], ["GITHUB_REF_NAME"], ["GITHUB_REF_PROTECTED"], ["GITHUB_REF_TYPE"]],
  [
    ["GITHUB_REPOSITORY"],
    ["GITHUB_REPOSITORY_ID"],
    ["GITHUB_REPOSITORY_OWNER"],
    ["GITHUB_REPOSITORY_OWNER_ID"],
  ],
  [
    ["GITHUB_JOB"],
    ["GITHUB_RUN_ATTEMPT"],
    ["GITHUB_RUN_ID"],
    ["GITHUB_RUN_NUMBER"],
    ["GITHUB_SERVER_URL"],
    ["GITHUB_WORKFLOW"],
    ["GITHUB_WORKFLOW_REF"],
    ["GITHUB_WORKFLOW_SHA"],
  ],
  [
    ["ImageOS", "github_runner_image_os"],
    ["ImageVersion", "github_runner_image_version"],
    ["RUNNER_OS", "github_runner_os"],
    ["RUNNER_ARCH", "github_runner_arch"],
    ["RUNNER_ENVIRONMENT", "github_runner_environment"],
    ["RUNNER_TRACKING_ID", "github_runner_tracking_id"],
    ["RUNNER_NAME", "github_runner_name"],
  ],
];

/**
 * Content of the file `provenance.d/github_actions_context.json` that BuildKit adds to a build's provenance; undefined
 * outside GitHub Actions (buildx util/ghutil `GithubActionsContext`).
 *
 * @throws ConfigError when the event file cannot be read or is not a JSON object.
 */
export async function githubActionsContext(env: Environment): Promise<Buffer | undefined> {
  const eventName = env["GITHUB_EVENT_NAME"];
  const eventPath = env["GITHUB_EVENT_PATH"];
  if (parseGoBool(env["GITHUB_ACTIONS"] ?? "") !== true || !eventName || !eventPath) return undefined;
  const content = await readConfigFile(eventPath);
  if (content === undefined) {
    throw new ConfigError(
      "CONFIG_UNREADABLE",
      eventPath,
      `failed to read GITHUB_EVENT_PATH ${JSON.stringify(eventPath)}: no such file`,
    );
  }
  if (content.length === 0) throw invalidConfig(eventPath, "GitHub event payload is empty");
  const payload = parseJsonObject(eventPath, content);
  const fields = new Map<string, unknown>([
    ["github_event_name", eventName],
    ["github_event_payload", payload],
  ]);
  for (const group of groups) {
    if (!group.every(([variable]) => env[variable])) continue;
    for (const [variable, key] of group) fields.set(key ?? variable.toLowerCase(), env[variable]);
  }
  return Buffer.from(JSON.stringify(sortKeys(Object.fromEntries(fields))));
}

/** Keys in byte order at every level, as Go marshals maps: the file is the same whoever writes it. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sortKeys(item)] as const);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}
