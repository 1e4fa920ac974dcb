import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { githubActionsContext } from "./github-actions.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-gha-"));
});
afterEach(() => rm(dir, { recursive: true }));

test("only in GitHub Actions, with whole groups", async () => {
  const event = join(dir, "event.json");
  await writeFile(event, '{"b":1,"a":[{"d":1,"c":2}]}');
  const env = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "push", GITHUB_EVENT_PATH: event };
  expect(await githubActionsContext({})).toBeUndefined();
  expect(await githubActionsContext({ ...env, GITHUB_ACTIONS: "no" })).toBeUndefined();
  expect(await githubActionsContext({ ...env, GITHUB_EVENT_NAME: "" })).toBeUndefined();
  const content = await githubActionsContext({
    ...env,
    GITHUB_ACTOR: "me",
    GITHUB_ACTOR_ID: "1",
    GITHUB_TRIGGERING_ACTOR: "you",
    GITHUB_REF: "refs/heads/main",
    ImageOS: "ubuntu24",
  });
  expect(content?.toString()).toBe(
    '{"github_actor":"me","github_actor_id":"1","github_event_name":"push",' +
      '"github_event_payload":{"a":[{"c":2,"d":1}],"b":1},"github_triggering_actor":"you"}',
  );
});

test("an event file that cannot be used is an error that names it", async () => {
  const event = join(dir, "event.json");
  const env = { GITHUB_ACTIONS: "1", GITHUB_EVENT_NAME: "push", GITHUB_EVENT_PATH: event };
  await expect(githubActionsContext(env)).rejects.toThrow(event);
  await writeFile(event, "[]");
  await expect(githubActionsContext(env)).rejects.toThrow(event);
});
