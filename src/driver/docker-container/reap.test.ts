import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeEngine } from "../../../test/support/fake-engine.js";
import { EngineClient } from "../../engine-api/index.js";
import { type ReapQuery, reapContainers } from "./reap.js";

const label = "dev.slipway.ephemeral";
const prefix = "slipway-ephemeral-";
const nameOf = (node: string) => `buildx_buildkit_${prefix}${node}`;

let engine: FakeEngine;
let client: EngineClient;
let containers: object[];
let volumes: object[];

beforeEach(async () => {
  engine = await FakeEngine.start();
  client = EngineClient.open({ host: engine.host });
  containers = [];
  volumes = [];
  engine
    .on("GET", "/containers/json", (call) => call.json(containers))
    .on("GET", "/volumes", (call) => call.json({ Volumes: volumes }))
    .on("GET", "/containers/:id/json", (call) => call.json({ Id: call.params["id"], Mounts: [], State: {} }))
    .on("DELETE", "/containers/:id", (call) => call.empty())
    .on("DELETE", "/volumes/:id", (call) => call.empty());
});
afterEach(async () => {
  await client.close();
  await engine.close();
});

const container = (node: string, owner = "over", more: object = {}) => ({
  Id: node.repeat(64).slice(0, 64),
  Names: [`/${nameOf(node)}`],
  Labels: { [label]: owner },
  State: "exited",
  Created: 1,
  ...more,
});
const volume = (node: string, owner = "over") => ({
  Name: `${nameOf(node)}_state`,
  Labels: { [label]: owner },
  CreatedAt: "2026-01-01T00:00:00Z",
});

const reap = (more: Partial<ReapQuery> = {}) =>
  reapContainers({
    engine: client,
    socketParent: "/nowhere",
    prefix,
    label,
    isReapable: (owner) => Promise.resolve(owner === "over"),
    ...more,
  });
const removed = () => engine.calls.filter(({ method }) => method === "DELETE").map(({ path }) => path);

test("only what has the name and an owner that is over goes, volumes of what stays stay", async () => {
  containers = [container("a"), container("b", "alive"), { ...container("c"), Names: ["/somebody-elses"] }];
  volumes = [volume("a"), volume("b"), volume("d"), { ...volume("e"), Name: "other" }, volume("f", "alive")];
  expect(await reap()).toEqual({ problems: [], kept: [`${prefix}b`] });
  expect(removed()).toEqual([
    `/containers/${"a".repeat(64)}`,
    `/volumes/${nameOf("a")}_state`,
    `/volumes/${nameOf("d")}_state`,
  ]);
});

test("what runs was used just now, what does not when it was made", async () => {
  containers = [container("a"), container("b", "over", { State: "running" })];
  volumes = [volume("d"), { ...volume("e"), CreatedAt: "nonsense" }];
  const seen: number[] = [];
  const begun = Date.now();
  const isReapable: ReapQuery["isReapable"] = (_, { lastSign, isLocal }) => {
    expect(isLocal).toBe(true);
    seen.push(lastSign);
    return Promise.resolve(false);
  };
  expect((await reap({ isReapable })).kept).toEqual([`${prefix}a`, `${prefix}b`]);
  expect(seen.map((time) => (time >= begun ? "now" : time))).toEqual([
    1000,
    "now",
    Date.parse("2026-01-01T00:00:00Z"),
    "now",
  ]);
});

test("what is gone meanwhile is no problem, and what cannot be removed is told while the rest goes", async () => {
  containers = [container("a"), container("b"), container("c")];
  engine.on("GET", `/containers/${"a".repeat(64)}/json`, (call) => call.refuse(404, "No such container"));
  engine.on("DELETE", `/containers/${"b".repeat(64)}`, (call) => call.refuse(500, "the disk is on fire"));
  const { problems } = await reap();
  expect(problems).toEqual([
    expect.stringMatching(new RegExp(`^cannot remove container ${nameOf("b")}: .*the disk is on fire`)),
  ]);
  expect(removed()).toContain(`/containers/${"c".repeat(64)}`);
});

test("an engine that cannot be asked is an error, and nothing goes", async () => {
  containers = [container("a")];
  engine.on("GET", "/volumes", (call) => call.refuse(500, "no"));
  await expect(reap()).rejects.toMatchObject({ code: "ENGINE_STATUS" });
  expect(removed()).toEqual([]);
});

test.each(["inspected", "removed"])("a cancel while a container is %s ends it", async (what) => {
  containers = [container("a"), container("b")];
  const controller = new AbortController();
  const abort = () => controller.abort(new Error("not wanted any more"));
  if (what === "inspected") engine.on("GET", "/containers/:id/json", abort);
  else engine.on("DELETE", "/containers/:id", abort);
  await expect(reap({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  expect(removed().length).toBeLessThanOrEqual(1);
});
