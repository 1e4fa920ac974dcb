import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { loadDockerConfig } from "../config/index.js";
import type { BuildEvent } from "../core/index.js";
import { EngineClient } from "../engine-api/index.js";
import type { PlannedExport } from "./outputs.js";
import { type EnginePush, pushMoby } from "./push-from-engine.js";

const digest = `sha256:${"d".repeat(64)}`;
const entry = (attrs: Record<string, string>, type: PlannedExport["type"] = "moby"): PlannedExport => ({
  type,
  attrs,
  destination: { kind: "none" },
});

let engine: FakeEngine;
let client: EngineClient;
let events: BuildEvent[];
let response: Map<string, string>;

beforeEach(async () => {
  engine = await FakeEngine.start();
  client = EngineClient.open({ host: engine.host });
  events = [];
  response = new Map([["containerimage.digest", "sha256:id"]]);
  engine
    .on("POST", /^\/images\/(?<name>.+)\/push$/, (call) => call.lines([{ status: "Pushed", id: "aaaa" }]))
    .on("GET", /^\/distribution\/(?<name>.+)\/json$/, (call) => call.json({ Descriptor: { digest } }));
});
afterEach(() => engine.close());

async function push(exports: readonly PlannedExport[], more: Partial<EnginePush> = {}): Promise<void> {
  await pushMoby(response, exports, {
    engine: client,
    credentials: () => undefined,
    env: {},
    dockerConfig: await loadDockerConfig({ DOCKER_CONFIG: "/nowhere" }),
    sink: (event) => void events.push(event),
    ...more,
  });
}

const steps = () => events.flatMap((event) => (event.type === "status" ? event.vertexes : []));
const statuses = () => events.flatMap((event) => (event.type === "status" ? event.statuses : []));

test("pushes every name as a step, and takes the digest from the registry", async () => {
  engine.on("POST", /^\/images\/(?<name>.+)\/push$/, (call) =>
    call.lines([
      { status: "The push refers to repository [app]" },
      { status: "Preparing", id: "aaaa", progressDetail: {} },
      { status: "Pushing", id: "aaaa", progressDetail: { current: 3, total: 10 } },
      { status: "Pushed", id: "aaaa", progressDetail: {} },
      { aux: { Tag: "1", Digest: digest, Size: 10 } },
    ]),
  );
  await push([entry({ name: "reg.example/app:1,reg.example/app:2", push: "true" })]);
  expect(engine.calls.filter(({ method }) => method === "POST")).toMatchObject([
    { path: "/images/reg.example/app/push", query: { tag: "1" } },
    { path: "/images/reg.example/app/push", query: { tag: "2" } },
  ]);
  expect(new Set(steps().map(({ name }) => name))).toEqual(
    new Set(["pushing reg.example/app:1 with docker", "pushing reg.example/app:2 with docker"]),
  );
  expect(statuses().slice(0, 2)).toMatchObject([
    { name: "pushing layer aaaa", current: 3, total: 10 },
    { name: "pushing layer aaaa", current: 10, total: 10, completed: expect.any(Date) as Date },
  ]);
  // What the daemon called the image is the id of its config.
  expect(response.get("containerimage.digest")).toBe(digest);
  expect(response.get("containerimage.config.digest")).toBe("sha256:id");
});

test("a refusal inside the stream fails the push, its step, and names that follow", async () => {
  engine.on("POST", /^\/images\/(?<name>.+)\/push$/, (call) =>
    call.lines([{ status: "Preparing", id: "aaaa" }, { error: "denied: requested access is denied" }]),
  );
  await expect(push([entry({ name: "app:1,app:2", push: "true" })])).rejects.toMatchObject({
    code: "ENGINE_STREAM",
    message: expect.stringContaining("requested access is denied") as string,
  });
  expect(steps().at(-1)?.error).toContain("requested access is denied");
  expect(engine.calls.filter(({ method }) => method === "POST")).toHaveLength(1);
  expect(response.get("containerimage.digest")).toBe("sha256:id");
});

test("credentials of the caller go to the engine", async () => {
  const credentials = () => ({ username: "u", password: "p" });
  await push([entry({ name: "reg.example/app:1", push: "true" })], { credentials });
  const [{ headers } = { headers: {} as never }] = engine.calls.filter(({ method }) => method === "POST");
  const auth = JSON.parse(Buffer.from(String(headers["x-registry-auth"]), "base64url").toString()) as object;
  expect(auth).toMatchObject({ username: "u", password: "p" });
});

test("only images of the engine's store that are to be pushed are", async () => {
  await push([entry({ name: "app" }), entry({ name: "app", push: "true" }, "image")]);
  expect(engine.calls).toEqual([]);
});

test("a cancel ends the push, and the engine is closed", async () => {
  const controller = new AbortController();
  engine.on("POST", /^\/images\/(?<name>.+)\/push$/, (call) => {
    call.lines([{ status: "Pushing", id: "aaaa", progressDetail: { current: 1, total: 2 } }], { open: true });
    controller.abort(new Error("not wanted any more"));
  });
  const pushing = push([entry({ name: "app", push: "true" })], { signal: controller.signal });
  await expect(pushing).rejects.toMatchObject({ code: "ABORTED" });
  await engine.idle();
});

test("a connection that breaks fails the push", async () => {
  engine.on("POST", /^\/images\/(?<name>.+)\/push$/, (call) => {
    call.lines([{ status: "Pushing", id: "aaaa" }], { open: true });
    call.cut();
  });
  await expect(push([entry({ name: "app", push: "true" })])).rejects.toMatchObject({
    code: expect.stringMatching(/^ENGINE_/) as string,
  });
});
