import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DockerConfig, loadDockerConfig } from "../config/index.js";
import { checkContextBuilder, resolveBuilder, useBuilder } from "./current-builder.js";
import { emptyNodeGroup } from "./node-group.js";
import { BuilderStore } from "./store.js";

let dir: string;
let config: DockerConfig;
let store: BuilderStore;
const on = (host: string) => ({ env: { DOCKER_HOST: host }, config });
const first = "tcp://one:2375";
const second = "tcp://two:2375";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-current-"));
  const id = createHash("sha256").update("remote").digest("hex");
  await mkdir(join(dir, "contexts", "meta", id), { recursive: true });
  await writeFile(
    join(dir, "contexts", "meta", id, "meta.json"),
    JSON.stringify({ Name: "remote", Metadata: {}, Endpoints: { docker: { Host: "tcp://three:2375" } } }),
  );
  config = await loadDockerConfig({ DOCKER_CONFIG: dir });
  store = BuilderStore.open({ DOCKER_CONFIG: dir });
  await store.transaction(async (transaction) => {
    await transaction.save(emptyNodeGroup("a", "docker-container"));
    await transaction.save(emptyNodeGroup("b", "docker-container"));
  });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const current = async (host: string) => (await resolveBuilder(store, on(host))).name;

describe("resolveBuilder", () => {
  it("is the docker context's own builder when nothing was chosen", async () => {
    const group = await resolveBuilder(store, on(first));
    expect(group).toMatchObject({ name: "default", driver: "", dockerContext: true });
    expect(group.nodes).toMatchObject([{ name: "default", endpoint: "default" }]);
    expect(JSON.parse(await readFile(join(dir, "buildx", "current"), "utf8"))).toEqual({
      Key: first,
      Name: "",
      Global: false,
    });
  });

  it("finds builders and contexts by name", async () => {
    expect(await resolveBuilder(store, { ...on(first), name: "B" })).toMatchObject({ name: "b" });
    const remote = await resolveBuilder(store, { ...on(first), name: "remote" });
    expect(remote).toMatchObject({ dockerContext: true, nodes: [{ endpoint: "remote" }] });
    expect(() => checkContextBuilder(remote, on(first))).toThrow(
      'use `docker --context=remote buildx` to switch to context "remote"',
    );
    await expect(resolveBuilder(store, { ...on(first), name: "nope" })).rejects.toThrow(
      'no builder "nope" found',
    );
  });

  it("holds a choice for the endpoint it was made on", async () => {
    await useBuilder(store, { ...on(first), name: "a" });
    expect([await current(first), await current(first)]).toEqual(["a", "a"]);
    // buildx forgets the choice as soon as it is asked for another endpoint.
    expect([await current(second), await current(first)]).toEqual(["default", "default"]);
  });

  it("comes back to the endpoint's default", async () => {
    await useBuilder(store, { ...on(first), name: "a", default: true });
    expect([await current(second), await current(first)]).toEqual(["default", "a"]);
    await useBuilder(store, { ...on(first), name: "b" });
    expect([await current(second), await current(first)]).toEqual(["default", "default"]);
  });

  it("holds a global choice everywhere", async () => {
    await useBuilder(store, { ...on(first), name: "b", global: true });
    expect([await current(first), await current(second)]).toEqual(["b", "b"]);
  });

  it("goes back to the context's own when the chosen builder is gone or broken", async () => {
    await useBuilder(store, { ...on(first), name: "a" });
    await store.transaction((transaction) => transaction.remove("a"));
    expect(await current(first)).toBe("default");
    await useBuilder(store, { ...on(first), name: "b" });
    await writeFile(join(dir, "buildx", "instances", "b"), "");
    expect(await current(first)).toBe("default");
  });

  it("STO-2 works and repairs with a broken choice", async () => {
    await writeFile(join(dir, "buildx", "current"), "nonsense");
    expect(await current(first)).toBe("default");
    await useBuilder(store, { ...on(first), name: "a" });
    expect(await current(first)).toBe("a");
  });
});

describe("useBuilder", () => {
  it("takes the current context's name, and no other's", async () => {
    await useBuilder(store, { ...on(first), name: "a" });
    await useBuilder(store, { ...on(first), name: "default" });
    expect(await current(first)).toBe("default");
    await expect(useBuilder(store, { ...on(first), name: "remote" })).rejects.toThrow(
      "run `docker context use remote` to switch to context remote",
    );
    const elsewhere = { env: { DOCKER_CONTEXT: "remote" }, config };
    await expect(useBuilder(store, { ...elsewhere, name: "default" })).rejects.toThrow(
      "run `docker context use default`",
    );
    await expect(useBuilder(store, { ...on(first), name: "x" })).rejects.toThrow(
      'failed to find instance "x"',
    );
  });
});
