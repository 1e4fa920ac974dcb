import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar-stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type BuildEvent,
  Builder,
  type BuildOptions,
  type Connection,
  connect,
  files,
} from "../../src/index.js";
import { EngineClient } from "../../src/engine-api/index.js";
import { engineEnv } from "../support/engine-env.js";
import { EngineProxy } from "../support/engine-proxy.js";
import { slipway } from "../support/slipway.js";

const { dockerHost, engine: engineName } = engineEnv();
const isContainerd = engineName === "docker-containerd" || engineName === "docker-29";

let builder: Builder;
let connection: Connection;
let engine: EngineClient;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "slipway-load-"));
  engine = EngineClient.open({ host: dockerHost });
  builder = await Builder.ensure({ name: "load", driverOpts: { network: "host" } });
  connection = await connect({ builder });
});

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  await engine?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** 2 MiB that do not compress, different for each seed. */
function noise(seed: string): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 0; block < 65_536; block++)
    blocks.push(createHash("sha256").update(`${seed}/${block}`).digest());
  return Buffer.concat(blocks);
}

/** An image of three layers: busybox, `big`, `small`. */
function image(big: string, small: string): BuildOptions["context"] {
  return files({
    Dockerfile: 'FROM busybox\nCOPY big /big\nCOPY small /small\nCMD ["cat", "/small"]\n',
    big: noise(big),
    small: `${small}\n`,
  });
}

interface Loaded {
  id: string | undefined;
  /** Status lines of the vertex `importing to docker`. */
  statuses: string[];
}

async function load(
  context: BuildOptions["context"],
  tag: string,
  more: Partial<BuildOptions> = {},
): Promise<Loaded> {
  const importing = new Set<string>();
  const statuses = new Set<string>();
  const onEvent = (event: BuildEvent) => {
    if (event.type !== "status") return;
    for (const { digest, name } of event.vertexes) if (name === "importing to docker") importing.add(digest);
    for (const { vertex, id } of event.statuses) if (importing.has(vertex)) statuses.add(id);
  };
  const { imageId } = await connection.build({ context, tags: [tag], load: true, onEvent, ...more });
  return { id: imageId, statuses: [...statuses] };
}

/** Runs the image and gives what it prints. */
async function output(tag: string): Promise<string> {
  const { Id } = await engine.containers.create(undefined, {
    Image: tag,
    HostConfig: { NetworkMode: "none" },
  });
  try {
    await engine.containers.start(Id);
    await engine.containers.wait(Id);
    const chunks: Buffer[] = [];
    for await (const { data } of engine.containers.logs(Id, { stdout: true })) chunks.push(data);
    return Buffer.concat(chunks).toString();
  } finally {
    await engine.containers.remove(Id, { force: true });
  }
}

/** Digests of the contents in the engine's own archive of an image. */
async function saved(tag: string): Promise<string[]> {
  const digests: string[] = [];
  const unpack = extract();
  unpack.on("entry", ({ name, type }, stream, next) => {
    const hash = createHash("sha256");
    stream.on("data", (chunk) => hash.update(chunk as Buffer));
    stream.on("end", () => {
      // Not the archive's own tables, which hold names and times.
      if (type === "file" && /layer\.tar$|^blobs\/|^[0-9a-f]{64}\.json$/.test(name))
        digests.push(hash.digest("hex"));
      next();
    });
  });
  for await (const chunk of await engine.images.save([tag])) {
    await new Promise<void>((resolve) => {
      if (unpack.write(chunk as Buffer)) resolve();
      else unpack.once("drain", () => resolve());
    });
  }
  await new Promise<void>((resolve) => {
    unpack.once("finish", () => resolve());
    unpack.end(null);
  });
  return digests.sort();
}

describe(`differential load on ${isContainerd ? "the containerd store" : "the classic store"}`, () => {
  test("the first time only what the engine lacks is sent, and the image runs", async () => {
    const { id, statuses } = await load(image("a", "one"), "load:first");
    expect((await engine.images.inspect("load:first")).Id).toBe(id);
    expect(statuses.some((status) => status.startsWith("loading layer"))).toBe(true);
    expect(await output("load:first")).toBe("one\n");
  });

  test("unchanged nothing is sent, and only the name is new", async () => {
    const { id, statuses } = await load(image("a", "one"), "load:again");
    expect(statuses).toEqual([expect.stringMatching(/^image \w{12} already present$/)]);
    expect((await engine.images.inspect("load:again")).Id).toBe(id);
  });

  test("with one small layer changed that layer is sent, and the image equals a full load", async () => {
    const { id, statuses } = await load(image("a", "two"), "load:changed");
    const sent = statuses.filter((status) => status.startsWith("loading layer"));
    expect(sent).toHaveLength(1);
    expect(statuses.filter((status) => status.endsWith("already present"))).toHaveLength(2);
    expect((await engine.images.inspect("load:changed")).Id).toBe(id);
    expect(await output("load:changed")).toBe("two\n");

    const differential = await saved("load:changed");
    const before = await engine.images.inspect("load:changed");
    await engine.images.remove("load:changed", { force: true });
    // The full archive of the same image, by way of a file.
    const archive = join(scratch, "full.tar");
    const type = isContainerd ? "oci" : "docker";
    await connection.build({
      context: image("a", "two"),
      tags: ["load:changed"],
      outputs: [{ type, dest: archive }],
    });
    await engine.images.load(createReadStream(archive));
    const after = await engine.images.inspect("load:changed");
    expect(after.Id).toBe(before.Id);
    expect(after.RootFS).toEqual(before.RootFS);
    expect(after.Config).toEqual(before.Config);
    expect(await saved("load:changed")).toEqual(differential);
  });

  test("what another client has loaded counts as well, once it was seen", async () => {
    const archive = join(scratch, "other.tar");
    const type = isContainerd ? "oci" : "docker";
    const tags = ["load:other"];
    await connection.build({ context: image("c", "other one"), tags, outputs: [{ type, dest: archive }] });
    await engine.images.load(createReadStream(archive));
    expect((await load(image("c", "other one"), "load:other")).statuses).toEqual([
      expect.stringMatching(/^image \w{12} already present$/),
    ]);
    const { statuses } = await load(image("c", "other two"), "load:other");
    expect(statuses.filter((status) => status.startsWith("loading layer"))).toHaveLength(1);
  });

  test("a layer that the engine has lost is sent again", async () => {
    for (const { Id } of await engine.images.list({ filters: { reference: ["load"] } }))
      await engine.images.remove(Id, { force: true });
    const { id } = await load(image("a", "two"), "load:lost");
    expect((await engine.images.inspect("load:lost")).Id).toBe(id);
    expect(await output("load:lost")).toBe("two\n");
  });

  test("the same layer twice in an image is no trouble", async () => {
    const context = (last: string) =>
      files({
        Dockerfile: `FROM busybox\nCOPY a /a\nCOPY b /b\nCOPY a /a\nCMD ["cat", "/b"]\n# ${last}\n`,
        a: "a",
        b: last,
      });
    await load(context("x"), "load:twice");
    await load(context("y"), "load:twice");
    expect(await output("load:twice")).toBe("y");
  });

  test("FLT-97 attestations and several platforms come along where the store takes them", async () => {
    const building = load(image("a", "three"), "load:index", {
      platforms: ["linux/amd64", "linux/arm64"],
      provenance: "mode=max",
    });
    if (!isContainerd) {
      await expect(building).rejects.toThrow(
        "docker exporter does not currently support exporting manifest lists",
      );
      return;
    }
    const { id } = await building;
    expect((await engine.images.inspect("load:index")).Id).toBe(id);
    expect(await output("load:index")).toBe("three\n");
  });

  describe("an engine that is not what it seems", () => {
    let proxy: EngineProxy;
    beforeAll(async () => void (proxy = await EngineProxy.open(dockerHost)));
    afterEach(() => {
      proxy.intercept = undefined;
      proxy.requests.length = 0;
    });
    afterAll(async () => await proxy?.close());

    const env = () => ({ ...process.env, DOCKER_HOST: proxy.host });
    const loads = () => proxy.requests.filter((request) => request.startsWith("POST /images/load")).length;

    test("claims layers that it has lost: it gets the whole image", async () => {
      await load(image("lost", "four"), "load:lost", { env: env() });
      // What it says now is what it will go on saying when the image is gone.
      const inspected = JSON.stringify(await engine.images.inspect("load:lost"));
      const listed = JSON.stringify(await engine.images.list({ manifests: true }));
      await engine.images.remove("load:lost", { force: true });
      proxy.requests.length = 0;
      let lies = true;
      proxy.intercept = (method, url) => {
        if (method === "POST" && url.startsWith("/images/load")) {
          lies = false;
          return undefined;
        }
        if (!lies || method !== "GET") return undefined;
        if (url.startsWith("/images/json")) return { status: 200, body: listed };
        // By its name; by its id a classic engine would claim to have the image itself.
        if (/load(:|%3A)lost\/json/i.test(url)) return { status: 200, body: inspected };
        return undefined;
      };
      const { id, statuses } = await load(image("lost", "five"), "load:lost", { env: env() });
      expect(statuses, proxy.requests.join("\n")).toContain("sending the whole image instead");
      expect(loads()).toBe(2);
      expect((await engine.images.inspect("load:lost")).Id).toBe(id);
      expect(await output("load:lost")).toBe("five\n");
    });

    test("refuses the partial archive: it gets the whole image", async () => {
      await load(image("a", "five"), "load:refused");
      proxy.intercept = (method, url) =>
        method === "POST" && url.startsWith("/images/load") && loads() === 1
          ? { status: 500, body: '{"message":"archive/tar: not today"}' }
          : undefined;
      const { id } = await load(image("a", "six"), "load:refused", { env: env() });
      expect(loads()).toBe(2);
      expect((await engine.images.inspect("load:refused")).Id).toBe(id);
      expect(await output("load:refused")).toBe("six\n");
    });

    test("refuses everything: the build fails in its words, and the name stays where it was", async () => {
      const { id } = await load(image("a", "six"), "load:refused");
      proxy.intercept = (method, url) =>
        method === "POST" && url.startsWith("/images/load")
          ? { status: 500, body: '{"message":"no space left on device"}' }
          : undefined;
      await expect(load(image("a", "seven"), "load:refused", { env: env() })).rejects.toThrow(
        "no space left on device",
      );
      expect((await engine.images.inspect("load:refused")).Id).toBe(id);
    });
  });

  test("a prune between the solve and the reading does no harm", async () => {
    let pruned: Promise<unknown> | undefined;
    const { imageId } = await connection.build({
      context: image("b", "eight"),
      tags: ["load:pruned"],
      load: true,
      onEvent(event) {
        if (event.type !== "status" || pruned) return;
        if (event.vertexes.some(({ name }) => name === "importing to docker"))
          pruned = slipway(["prune", "--builder", "load", "--all", "--force"]);
      },
    });
    expect(await pruned).toMatchObject({ exitCode: 0 });
    expect((await engine.images.inspect("load:pruned")).Id).toBe(imageId);
    expect(await output("load:pruned")).toBe("eight\n");
  });

  test("no temporary name is left behind", async () => {
    const names = (await engine.images.list()).flatMap(({ RepoTags }) => RepoTags ?? []);
    expect(names.filter((name) => name.includes("slipway-load"))).toEqual([]);
  });
});
