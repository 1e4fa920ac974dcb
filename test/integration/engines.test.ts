import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { bundle } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

/** What every engine must be good for: this file runs on each that the testbed has. */
describe(`the engine ${engineEnv().engine}`, () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.open("engines");
  });
  afterAll(() => place.close());

  it("has a builder created, builds, loads what has changed, exports, stops and removes", async () => {
    const builder = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
    expect((await place.succeed(["ls"])).stdout).toMatch(new RegExp(`${builder}0 .* running `));
    const dir = await place.context({
      Dockerfile: 'FROM busybox\nCOPY big /\nCOPY greeting /\nRUN cat /greeting\nCMD ["cat", "/greeting"]\n',
      greeting: "",
      big: Buffer.alloc(2 << 20, "big"),
    });
    const out = path.join(await place.context({}), "out");
    const tag = `${place.id}:1`;
    for (const greeting of ["one\n", "two\n"]) {
      await writeFile(path.join(dir, "greeting"), greeting);
      await place.succeed(["build", "--builder", builder, "--load", "-t", tag, "-o", out, dir]);
      expect(await place.output(tag)).toBe(greeting);
      expect(await readFile(path.join(out, "greeting"), "utf8")).toBe(greeting);
    }
    await place.succeed(["stop", builder]);
    const again = await place.succeed(["build", "--builder", builder, "--progress", "plain", dir]);
    expect(again.stderr).toMatch(/COPY greeting \/\n#\d+ CACHED/);
    await place.succeed(["rm", builder]);
    await place.engine.images.remove(tag, { force: true });
  });

  it("serves slipway in a container of it: connect=auto is exec there", async () => {
    const { engine } = place;
    const script = [
      "set -e",
      "mkdir -p /tmp/config && cp /config/buildkitd.default.toml /tmp/config/",
      'slipway() { node /slipway.mjs "$@"; }',
      `slipway create --name ${place.id}-in --driver-opt network=host --bootstrap --use`,
      // The daemon's process is not in this container's name space.
      `if SLIPWAY_CONNECT=socket slipway du >/tmp/log 2>&1; then echo the socket is reached; else grep connect=socket /tmp/log; fi`,
      `slipway build --load -t ${place.id}:in /context`,
      `slipway rm ${place.id}-in`,
      "echo all of it",
    ].join("\n");
    // An ordinary user's engine reads what it mounts as that user.
    await chmod(place.dir, 0o755);
    const context = await place.context({
      Dockerfile: 'FROM busybox\nRUN echo from within >/greeting\nCMD ["cat", "/greeting"]\n',
    });
    const mount = (Source: string, Target: string, ReadOnly = true) =>
      ({ Type: "bind", Source, Target, ReadOnly }) as const;
    const readable = place.path("slipway.mjs");
    await copyFile(bundle, readable);
    await mkdir(place.path("config"));
    const config = "buildkitd.default.toml";
    await copyFile(place.path("buildx", config), place.path("config", config));
    await chmod(place.path("config", config), 0o644);
    await engine.images.pull("node:lts");
    const socket = engineEnv().dockerHost.replace("unix://", "");
    const { Id } = await engine.containers.create(undefined, {
      Image: "node:lts",
      Entrypoint: ["sh", "-c", script],
      Env: ["HOME=/tmp", "BUILDX_CONFIG=/tmp/config", "DOCKER_HOST=unix:///engine.sock"],
      HostConfig: {
        NetworkMode: "none",
        Mounts: [
          mount(readable, "/slipway.mjs"),
          mount(socket, "/engine.sock", false),
          mount(context, "/context"),
          mount(place.path("config"), "/config"),
        ],
      },
    });
    try {
      await engine.containers.start(Id);
      const { StatusCode } = await engine.containers.wait(Id);
      const chunks: Buffer[] = [];
      for await (const { data } of engine.containers.logs(Id, { stdout: true, stderr: true }))
        chunks.push(data);
      const log = Buffer.concat(chunks).toString();
      expect(log).toMatch(/connect=socket[^]*all of it\n$/);
      expect(log).not.toContain("the socket is reached");
      expect(StatusCode).toBe(0);
    } finally {
      await engine.containers.remove(Id, { force: true });
    }
    expect(await place.output(`${place.id}:in`)).toBe("from within\n");
    await engine.images.remove(`${place.id}:in`, { force: true });
  });

  it("refuses an image that is not there, in its own words", async () => {
    const builder = await place.builder("none", "--driver-opt", "image=192.0.2.1:5000/no/such:image");
    const { exitCode, stderr } = await place.run(["inspect", "--bootstrap", builder]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ERROR: .*(not found|manifest unknown|no such image)/im);
    await place.succeed(["rm", builder]);
  });
});
