import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Builder, build, files } from "../../src/index.js";
import { containerName, stateVolumeName } from "../../src/driver/index.js";
import { Workplace } from "../support/workplace.js";

let place: Workplace;
let program: string;
const label = "io.slipway.ephemeral";
const driverOpts = { network: "host" };

beforeAll(async () => {
  place = await Workplace.open("ephemeral");
  const entry = place.path("holder.ts");
  program = place.path("holder.mjs");
  await writeFile(
    entry,
    `import { Builder } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).pathname)};
     const builder = await Builder.ephemeral({ driverOpts: { network: "host" } });
     await builder.boot();
     console.log(builder.name);
     setInterval(() => {}, 1000);`,
  );
  const js = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
  await bundle({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js },
  });
});

afterAll(async () => {
  await place?.close();
});

/** A process that has made and booted an ephemeral builder. */
async function holder(): Promise<{ child: ChildProcess; name: string }> {
  const env = { ...process.env, ...place.env };
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the process ended early")));
  ended.catch(() => {});
  const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  return { child, name: line.toString().trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** What there is of a builder: on the engine, and in the store. */
async function traces(name: string): Promise<string[]> {
  const { containers, volumes } = place.engine;
  const listed = await containers.list({ all: true, filters: { name: [containerName(name)] } });
  const states = (await volumes.list()).filter(({ Name }) => Name === stateVolumeName(`${name}0`));
  const stored: string[] = [];
  for (const dir of ["instances", "activity", "slipway/builders"])
    if ((await readdir(place.path("buildx", dir))).includes(name)) stored.push(dir);
  return [...listed.map(() => "container"), ...states.map(() => "volume"), ...stored];
}

const everything = ["container", "volume", "instances", "activity", "slipway/builders"];

test("what a killed process left goes when the next is made, and what a living one has stays", async () => {
  const { env } = place;
  const [killed, living] = await Promise.all([holder(), holder()]);
  expect(await traces(killed.name)).toEqual(everything);
  await kill(killed.child);
  {
    await using builder = await Builder.ephemeral({ driverOpts, env });
    expect(builder.name).toMatch(/^slipway-ephemeral-[0-9a-f]{16}$/);
    expect(await traces(killed.name)).toEqual([]);
    expect(await traces(living.name)).toEqual(everything);
    expect(await traces(builder.name)).toEqual(everything.slice(2));
  }
  await kill(living.child);
  await using _ = await Builder.ephemeral({ driverOpts, env });
  expect(await traces(living.name)).toEqual([]);
});

test("what somebody else made stays, whatever its name or label", async () => {
  const { env, engine } = place;
  const left = await holder();
  const made = await engine.containers.inspect(containerName(`${left.name}0`));
  const owner = made.Config.Labels?.[label] ?? "";
  await kill(left.child);
  const own = JSON.parse(owner) as object;
  const foreign: [name: string, Labels: Record<string, string>][] = [
    ["buildx_buildkit_slipway-ephemeral-none0", {}],
    ["buildx_buildkit_slipway-ephemeral-text0", { [label]: "mine" }],
    ["buildx_buildkit_slipway-ephemeral-host0", { [label]: JSON.stringify({ ...own, host: "elsewhere" }) }],
    ["buildx_buildkit_slipway-ephemeral-pids0", { [label]: JSON.stringify({ ...own, pidNamespace: "" }) }],
    ["buildx_buildkit_slipway-ephemeral-boot0", { [label]: JSON.stringify({ ...own, bootId: "another" }) }],
    [
      "buildx_buildkit_slipway-ephemeral-machine0",
      { [label]: JSON.stringify({ ...own, bootId: "another", machineId: "another" }) },
    ],
    ["named", { [label]: owner }],
  ];
  const ids: string[] = [];
  const volumes: string[] = [];
  try {
    for (const [name, Labels] of foreign) {
      const full = `${name}-${place.id}`;
      ids.push((await engine.containers.create(full, { Image: made.Config.Image, Labels })).Id);
      volumes.push((await engine.volumes.create({ Name: `${full}_state`, Labels })).Name);
    }
    await using _ = await Builder.ephemeral({ driverOpts, env });
    expect(await traces(left.name)).toEqual([]);
    for (const id of ids) await engine.containers.inspect(id);
    for (const name of volumes) await engine.volumes.inspect(name);
  } finally {
    for (const id of ids) await engine.containers.remove(id, { force: true });
    for (const name of volumes) await engine.volumes.remove(name);
  }
});

test("it builds, and leaves nothing when it is closed, once or twice", async () => {
  const { env } = place;
  const builder = await Builder.ephemeral({ driverOpts, env });
  const context = files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "1" });
  await build({ builder, context, outputs: [{ type: "cacheonly" }], env });
  expect(await traces(builder.name)).toEqual(everything);
  await Promise.all([builder.close(), builder.close()]);
  await builder.close();
  expect(await traces(builder.name)).toEqual([]);
});

test("an engine that cannot be reached is named, and the store is as before", async () => {
  const env = { ...place.env, DOCKER_HOST: "tcp://127.0.0.1:9" };
  await expect(Builder.ephemeral({ env })).rejects.toMatchObject({
    code: "ENGINE_CONNECT",
    message: expect.stringContaining("127.0.0.1:9") as string,
  });
  await expect(
    Builder.ephemeral({ driverOpts: { nonsense: "1" } as Record<string, string>, env }),
  ).rejects.toThrow("nonsense");
  const names = await readdir(place.path("buildx", "instances"));
  expect(names.filter((name) => name.startsWith("slipway-ephemeral-"))).toEqual([]);
  expect(await readdir(place.path("buildx", "slipway", "builders"))).toEqual([]);
});
