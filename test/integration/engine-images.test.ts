import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type BuildEvent,
  type BuildOptions,
  Builder,
  type Connection,
  connect,
  files,
} from "../../src/index.js";
import { buildxConfigDir } from "../../src/config/index.js";
import { EngineClient } from "../../src/engine-api/index.js";
import { ContentStore } from "../../src/session/index.js";
import { engineEnv } from "../support/engine-env.js";
import { Workplace } from "../support/workplace.js";

const { dockerHost, registry, engine: engineName } = engineEnv();
const isContainerd = engineName === "docker-containerd";
/** In the engine and nowhere else: no registry has this name. */
const image = "slipway-engine-only:1";
/** In the engine, and with another content in the registry. */
const shared = `${registry}/engine-images/shared:1`;
/** In the engine for two platforms, where it can keep that. */
const multi = "slipway-engine-multi:1";

let builder: Builder;
let connection: Connection;
let engine: EngineClient;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "slipway-engine-images-"));
  engine = EngineClient.open({ host: dockerHost });
  // Made on another builder than the one that is to use them, which has none of their blobs.
  await makeImages();
  builder = await Builder.ensure({ name: "engine-images", driverOpts: { network: "host" } });
  connection = await connect({ builder });
});

async function makeImages(): Promise<void> {
  const maker = await Builder.ensure({ name: "engine-images-maker", driverOpts: { network: "host" } });
  const making = await connect({ builder: maker });
  const make = (tag: string, text: string, options: Partial<BuildOptions>) =>
    making.build({
      // The layer twice, as older archives link the second.
      context: files({
        Dockerfile: "FROM busybox\nCOPY greeting /greeting\nCOPY greeting /greeting\n",
        greeting: text,
      }),
      tags: [tag],
      ...options,
    });
  try {
    await make(image, "from the engine", { load: true });
    await make(shared, "from the registry", { push: true });
    await make(shared, "from the engine", { load: true });
    if (isContainerd) await make(multi, "of two", { load: true, platforms: ["linux/amd64", "linux/arm64"] });
  } finally {
    await making.close();
    await maker.remove();
  }
}

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  for (const name of [image, shared, multi])
    await engine?.images.remove(name, { force: true }).catch(() => {});
  await engine?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** Builds and gives the file `/greeting` of the result, and the names of the steps. */
async function greeting(
  options: Omit<BuildOptions, "context"> & { dockerfile: string },
  on: Connection = connection,
) {
  const dest = await mkdtemp(join(scratch, "out-"));
  const steps = new Map<string, string>();
  const onEvent = (event: BuildEvent) => {
    if (event.type === "message") steps.set(event.text, event.text);
    if (event.type !== "status") return;
    for (const { digest, name } of event.vertexes) if (!steps.has(digest)) steps.set(digest, name);
    for (const { vertex, data } of event.logs) {
      const name = steps.get(vertex);
      if (name?.startsWith("[engine]")) steps.set(vertex, `${name}: ${Buffer.from(data).toString()}`);
    }
  };
  await on.build({
    context: files({}),
    outputs: [{ type: "local", dest }],
    onEvent,
    ...options,
  });
  return { text: await readFile(join(dest, "greeting"), "utf8"), steps: [...steps.values()] };
}

const copied = (from: string) =>
  `FROM ${from} AS b\nRUN cat /greeting\nFROM scratch\nCOPY --from=b /greeting /\n`;

describe("images that only the engine has", () => {
  test("are a named context by engine://; a second build moves nothing", async () => {
    const served = vi.spyOn(ContentStore.prototype, "open");
    const build = async () => {
      served.mockClear();
      const found = await greeting({
        dockerfile: copied("base"),
        buildContexts: { base: `engine://${image}` },
        noCache: true,
      });
      expect(found.text).toBe("from the engine");
      let bytes = 0;
      for (const { value } of served.mock.results) bytes += ((await value) as { size: number }).size;
      return bytes;
    };
    const busyboxBytes = 500_000;
    expect(await build()).toBeGreaterThan(busyboxBytes);
    // The manifest and the config at most.
    expect(await build()).toBeLessThan(8192);
    served.mockRestore();
  });

  test("opted in, are found by FROM and COPY --from of an untouched Dockerfile", async () => {
    const from = await greeting({ dockerfile: copied(image), engineImages: true });
    expect(from.text).toBe("from the engine");
    const step = from.steps.find((name) => name.startsWith(`[engine] load ${image}`));
    expect(step).toMatch(/using slipway-engine-only:1 \(sha256:.*\) of the engine at /);
    const dockerfile = `FROM scratch\nCOPY --from=${image} /greeting /\n`;
    expect((await greeting({ dockerfile, engineImages: true })).text).toBe("from the engine");
  });

  test("also behind a build argument, a syntax line and a tag with its digest", async () => {
    const dockerfile = `# syntax=docker/dockerfile:1\nARG BASE\n${copied("$BASE")}`;
    const build = async (BASE: string) =>
      (await greeting({ dockerfile, engineImages: true, buildArgs: { BASE } })).text;
    expect(await build(image)).toBe("from the engine");
  });

  test("are those that the Dockerfile names, or the user, and no others", async () => {
    const warnings: string[] = [];
    const onEvent = (event: BuildEvent) => {
      if (event.type === "message") warnings.push(event.text);
    };
    // What this Dockerfile names is not seen where another list was given: as a builder that asks for what it likes.
    const asked = { dockerfile: copied(image), engineImages: { allow: ["busybox"] } };
    await expect(greeting({ ...asked, onEvent })).rejects.toThrow(image);
    expect(warnings.join()).toContain(`allow it with --engine-images=${image}`);
    expect((await greeting({ dockerfile: copied(image), engineImages: { allow: [image] } })).text).toBe(
      "from the engine",
    );
  });

  test("are twelve in one build, and the cache keeps the newest of them", async () => {
    const names = Array.from({ length: 12 }, (_, at) => `slipway-engine-many:${at}`);
    try {
      // Each another image, so that each has a place of its own in the cache.
      const make = (name: string, at: number) =>
        connection.build({
          context: files({ Dockerfile: `FROM scratch\nCOPY f /f-${at}\n`, f: name }),
          tags: [name],
          load: true,
        });
      await Promise.all(names.map(make));
      const copies = names.map((name, at) => `COPY --from=${name} /f-${at} /\n`).join("");
      const dockerfile = `FROM busybox AS b\n${copies}RUN cat /f-* > /greeting\nFROM scratch\nCOPY --from=b /greeting /\n`;
      const { text } = await greeting({ dockerfile, engineImages: true });
      for (const name of names) expect(text).toContain(name);
      const cache = join(buildxConfigDir(process.env), "slipway/engine-images");
      const left = (await readdir(cache)).filter((name) => name !== ".lock");
      expect(left).toHaveLength(8);
      expect(left.filter((name) => name.startsWith("."))).toEqual([]);
      // As a build that was killed at its worst left it: the rest of an image in its place.
      for (const name of left) await rm(join(cache, name, "blobs/sha256"), { recursive: true });
      expect((await greeting({ dockerfile, engineImages: true, noCache: true })).text).toBe(text);
    } finally {
      for (const name of names) await engine.images.remove(name, { force: true }).catch(() => {});
    }
  });

  test("are not used unasked", async () => {
    await expect(greeting({ dockerfile: copied(image) })).rejects.toThrow(image);
    expect((await greeting({ dockerfile: copied(shared) })).text).toBe("from the registry");
  });

  test("opted in, win over a registry's of the same name, and the progress says so", async () => {
    const { text, steps } = await greeting({ dockerfile: copied(shared), engineImages: true });
    expect(text).toBe("from the engine");
    expect(steps.some((step) => step.startsWith(`[engine] load ${shared}`))).toBe(true);
  });

  test("by the command", async () => {
    await using place = await Workplace.open("engine-images");
    const context = await place.context({ Dockerfile: copied(image) });
    const env = { BUILDX_CONFIG: process.env["BUILDX_CONFIG"], DOCKER_CONFIG: process.env["DOCKER_CONFIG"] };
    const flags = ["--builder", builder.name, "--progress", "plain", "-o", "out"];
    const { stderr } = await place.succeed(["build", "--engine-images", ...flags, context], { env });
    expect(stderr).toContain(`[engine] load ${image}`);
    expect(await readFile(place.path("out/greeting"), "utf8")).toBe("from the engine");
    const unasked = await place.run(["build", ...flags, context], { env });
    expect(unasked).toMatchObject({ exitCode: 1, stdout: "" });
    expect(unasked.stderr).toContain(image);
  });

  test("what the engine lacks comes from the registry, or is told by name", async () => {
    const dockerfile =
      "FROM busybox:latest AS b\nRUN echo registry > /greeting\nFROM scratch\nCOPY --from=b /greeting /\n";
    expect((await greeting({ dockerfile, engineImages: true })).text).toBe("registry\n");
    await expect(greeting({ dockerfile: copied("no-such-image:9"), engineImages: true })).rejects.toThrow(
      "no-such-image:9",
    );
    await expect(
      greeting({ dockerfile: copied("base"), buildContexts: { base: "engine://no-such-image:9" } }),
    ).rejects.toThrow(/the engine at .* has no image no-such-image:9/);
    await expect(
      greeting({ dockerfile: copied("base"), buildContexts: { base: "engine://UPPER" } }),
    ).rejects.toThrow("build context base");
  });

  test.runIf(process.arch === "x64")("of another platform than the build's are not taken", async () => {
    const platforms = ["linux/arm64"];
    // The engine's is for this machine, the registry has none for arm64 either.
    await expect(greeting({ dockerfile: copied(image), platforms, engineImages: true })).rejects.toThrow(
      image,
    );
    // A context is what its user says, who is told.
    const named = { dockerfile: copied("base"), platforms, buildContexts: { base: `engine://${image}` } };
    expect((await greeting(named)).steps).toContain(
      `build context base: the engine's image ${image} is for linux/amd64, the build for linux/arm64`,
    );
  });

  test("an engine that does not answer", async () => {
    const env = { ...process.env, DOCKER_HOST: "unix:///none/engine.sock" };
    for (const options of [{ engineImages: true }, { buildContexts: { base: `engine://${image}` } }])
      await expect(greeting({ dockerfile: copied("base"), env, ...options })).rejects.toThrow(
        "/none/engine.sock",
      );
  });

  test.runIf(isContainerd)("of several platforms, each its own", async () => {
    const dockerfile = `FROM ${multi} AS b\nRUN uname -m >> /greeting\nFROM scratch\nCOPY --from=b /greeting /\n`;
    for (const [platform, machine] of [
      ["linux/amd64", "x86_64"],
      ["linux/arm64", "aarch64"],
    ] as const) {
      const found = await greeting({ dockerfile, platforms: [platform], engineImages: true });
      expect(found.text).toBe(`of two${machine}\n`);
      const named = { base: `engine://${multi}` };
      const byName = dockerfile.replace(multi, "base");
      const context = await greeting({ dockerfile: byName, platforms: [platform], buildContexts: named });
      expect(context.text).toBe(`of two${machine}\n`);
    }
  });
});

test("the oldest BuildKit takes them by named contexts", async () => {
  const driverOpts = { network: "host", image: "moby/buildkit:v0.12.5" };
  const old = await Builder.ensure({ name: "engine-images-old", driverOpts });
  const on = await connect({ builder: old });
  try {
    expect((await greeting({ dockerfile: copied(image), engineImages: true }, on)).text).toBe(
      "from the engine",
    );
    expect((await greeting({ dockerfile: copied(shared), engineImages: true }, on)).text).toBe(
      "from the engine",
    );
    const byContext = { dockerfile: copied("base"), buildContexts: { base: `engine://${image}` } };
    expect((await greeting(byContext, on)).text).toBe("from the engine");
    await expect(greeting({ dockerfile: copied("no-such-image:9"), engineImages: true }, on)).rejects.toThrow(
      "no-such-image:9",
    );
  } finally {
    await on.close();
    await old.remove();
  }
});
