import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BuildEvent,
  type BuildOptions,
  Builder,
  type Connection,
  connect,
  files,
} from "../../src/index.js";
import { EngineClient } from "../../src/engine-api/index.js";
import { engineEnv } from "../support/engine-env.js";

const { dockerHost } = engineEnv();
const image = "slipway-engine-only:1";

let builder: Builder;
let connection: Connection;
let engine: EngineClient;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "slipway-engine-images-"));
  engine = EngineClient.open({ host: dockerHost });
  builder = await Builder.ensure({ name: "engine-images", driverOpts: { network: "host" } });
  connection = await connect({ builder });
  // In the engine and nowhere else: no registry has this name. The layer twice, as older archives link the second.
  await connection.build({
    context: files({
      Dockerfile: "FROM busybox\nCOPY greeting /greeting\nCOPY greeting /greeting\n",
      greeting: "from the engine",
    }),
    tags: [image],
    load: true,
  });
});

afterAll(async () => {
  await connection?.close();
  await builder?.remove();
  await engine?.images.remove(image, { force: true }).catch(() => {});
  await engine?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** Builds and gives the file `/greeting` of the result, and the names of the steps. */
async function greeting(options: Omit<BuildOptions, "context"> & { dockerfile: string }) {
  const dest = await mkdtemp(join(scratch, "out-"));
  const steps = new Map<string, string>();
  const onEvent = (event: BuildEvent) => {
    if (event.type !== "status") return;
    for (const { digest, name } of event.vertexes) steps.set(digest, name);
    for (const { vertex, data } of event.logs) {
      const name = steps.get(vertex);
      if (name?.startsWith("[engine]")) steps.set(vertex, `${name}: ${Buffer.from(data).toString()}`);
    }
  };
  await connection.build({
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
  test("are a named context by engine://", async () => {
    const { text } = await greeting({
      dockerfile: copied("base"),
      buildContexts: { base: `engine://${image}` },
    });
    expect(text).toBe("from the engine");
  });

  test("opted in, are found by FROM and COPY --from of an untouched Dockerfile", async () => {
    const from = await greeting({ dockerfile: copied(image), engineImages: true });
    expect(from.text).toBe("from the engine");
    expect(from.steps.some((step) => step.startsWith(`[engine] load ${image}`))).toBe(true);
    const dockerfile = `FROM scratch\nCOPY --from=${image} /greeting /\n`;
    expect((await greeting({ dockerfile, engineImages: true })).text).toBe("from the engine");
  });

  test("are not used unasked", async () => {
    await expect(greeting({ dockerfile: copied(image) })).rejects.toThrow(image);
  });

  test("what the engine lacks comes from the registry, or is told by name", async () => {
    const dockerfile =
      "FROM busybox:latest AS b\nRUN echo registry > /greeting\nFROM scratch\nCOPY --from=b /greeting /\n";
    expect((await greeting({ dockerfile, engineImages: true })).text).toBe("registry\n");
    await expect(
      greeting({ dockerfile: copied("base"), buildContexts: { base: "engine://no-such-image:9" } }),
    ).rejects.toThrow(/the engine at .* has no image no-such-image:9/);
    await expect(
      greeting({ dockerfile: copied("base"), buildContexts: { base: "engine://UPPER" } }),
    ).rejects.toThrow("build context base");
  });
});
