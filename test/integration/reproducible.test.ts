import { execFileSync } from "node:child_process";
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type BakeOptions,
  type BuildCallOptions,
  Builder,
  bake,
  build,
  files,
  openResult,
  plan,
} from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { makeRepository } from "../support/git-server.js";
import { Workplace } from "../support/workplace.js";

/** The same image of the same, on the real daemon. */
const { registry, engine } = engineEnv();
let place: Workplace;
let builders: [Builder, Builder];

beforeAll(async () => {
  place = await Workplace.open("reproducible");
  const make = (name: string) => Builder.ensure({ name, driverOpts: { network: "host" } });
  builders = [await make("reproducible-a"), await make("reproducible-b")];
}, 120_000);

afterAll(async () => {
  for (const builder of builders ?? []) await builder.remove();
  await place?.close();
});

const dockerfile = `FROM busybox
RUN mkdir /app && echo made >/app/made
COPY name /app/
`;
const repositoryAt = (name: string) => {
  const repository = makeRepository(place.path(name));
  // Each of its own, or a layer of another test is taken, with the times that its files had.
  repository.commit({ Dockerfile: dockerfile, name }, "first");
  return repository;
};

/** Builds to a registry, which keeps what it is given as it is. */
const pushed = (builder: Builder, context: string, more: Partial<BuildCallOptions> = {}) =>
  build({
    builder,
    context,
    reproducible: true,
    outputs: [{ type: "registry", attrs: { name: `${registry}/reproducible:1` } }],
    ...more,
  });

test("two builders make the same of two clones, whatever they have built before", async () => {
  const first = repositoryAt("first");
  const second = place.path("second");
  execFileSync("git", ["clone", "--quiet", first.dir, second]);
  const late = new Date(Date.now() + 10_000);
  await utimes(path.join(second, "name"), late, late);
  const [a, b] = builders;
  // Layers that are there already have another compression.
  const attrs = { name: `${registry}/reproducible:zstd`, compression: "zstd" };
  await build({ builder: b, context: second, outputs: [{ type: "registry", attrs }] });
  const one = await pushed(a, first.dir);
  const other = await pushed(b, second);
  expect(one.digest).toMatch(/^sha256:/);
  expect(other.digest).toBe(one.digest);
  expect((await pushed(a, first.dir, { noCache: true })).digest).toBe(one.digest);
  // Without it they are as many images.
  const plain = { reproducible: false, noCache: true };
  const [without, again] = [await pushed(a, first.dir, plain), await pushed(b, second, plain)];
  expect(again.digest).not.toBe(without.digest);
});

test("so do two bakes, of targets on one another, which tell what is another thing another day by target", async () => {
  const first = repositoryAt("bake-first");
  const name = (target: string) => `${registry}/reproducible-bake:${target}`;
  const output = (target: string) => `output = ["type=registry,name=${name(target)}"]`;
  first.commit(
    {
      "docker-bake.hcl": `
group "default" { targets = ["app", "tools"] }
target "base" { dockerfile-inline = "FROM busybox\\nRUN echo base >/base\\nCOPY name /in-base" }
target "app" {
  dockerfile-inline = "FROM base\\nRUN date >/dev/null\\nCOPY name /app"
  contexts = { base = "target:base" }
  ${output("app")}
}
target "tools" {
  dockerfile-inline = "FROM busybox\\nCOPY name /tools"
  ${output("tools")}
}
`,
    },
    "bake",
  );
  const second = place.path("bake-second");
  execFileSync("git", ["clone", "--quiet", first.dir, second]);
  const digests = async (given: BakeOptions) => {
    const { targets } = await bake({ reproducible: true, ...given });
    return ["app", "tools"].map((target) => targets.get(target)?.digest);
  };
  const [a, b] = builders;
  const one = await digests({ builder: a, cwd: first.dir });
  expect(one).toEqual([expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha256:/)]);
  expect(await digests({ builder: b, cwd: second })).toEqual(one);
  expect(await digests({ builder: a, cwd: first.dir, noCache: true, deferOutputs: true })).toEqual(one);
  const without = await digests({ builder: a, cwd: first.dir, noCache: true, reproducible: false });
  expect(without).not.toContain(one[0]);
  expect(without).not.toContain(one[1]);
  // The command makes the same, on a third builder.
  const own = await place.builder("d", "--driver-opt", "network=host", "--bootstrap");
  const told = await place.succeed(
    ["bake", "--builder", own, "--reproducible", "--progress", "plain", "--metadata-file", "bake.json"],
    { cwd: second },
  );
  const metadata = JSON.parse(await readFile(path.join(second, "bake.json"), "utf8")) as Record<
    string,
    Record<string, unknown>
  >;
  expect(["app", "tools"].map((target) => metadata[target]?.["containerimage.digest"])).toEqual(one);
  const time = first.git("log", "-1", "--format=%ct");
  expect(told.stderr).toContain(`[app reproducible] SOURCE_DATE_EPOCH=${time}`);
  expect(told.stderr).toContain("NotReproducible: date tells the time of the build");
  expect(told.stderr).not.toContain("the base image base");
  // Questions about Dockerfiles, and the definition as it would be built, are what they are without it.
  const printed = (...more: string[]) => place.succeed(["bake", ...more], { cwd: second });
  expect((await printed("--print", "--reproducible")).stdout).toBe((await printed("--print")).stdout);
});

test("files that are older than the last commit are told, for their times stay", async () => {
  const { dir } = repositoryAt("aged");
  const old = new Date(1_600_000_000_000);
  await utimes(path.join(dir, "name"), old, old);
  const warned = async (more: Partial<BuildCallOptions> = {}) => {
    const messages: string[] = [];
    const onEvent: BuildCallOptions["onEvent"] = (event) =>
      void (event.type === "message" && event.text.includes("older than") && messages.push(event.text));
    await build({
      builder: builders[0],
      context: dir,
      reproducible: true,
      outputs: [{ type: "cacheonly" }],
      onEvent,
      ...more,
    });
    return messages;
  };
  expect(await warned()).toEqual([
    expect.stringMatching(
      /^1 file of context is older than SOURCE_DATE_EPOCH=\d+, such as name: the image keeps/,
    ),
  ]);
  expect(await warned({ buildArgs: { SOURCE_DATE_EPOCH: "0" } })).toEqual([]);
  expect(await warned({ reproducible: false })).toEqual([]);
  // BuildKit keeps them, indeed.
  await using result = await openResult({ builder: builders[0], context: dir, reproducible: true });
  expect((await result.stat("/app/name")).mtime).toEqual(old);
});

test("what is opened is exported, and what is loaded is loaded, as the same", async () => {
  const { dir } = repositoryAt("opened");
  const [builder] = builders;
  const { digest } = await pushed(builder, dir);
  await using result = await openResult({ builder, context: dir, reproducible: true });
  const exported = await result.export([
    { type: "registry", attrs: { name: `${registry}/reproducible:opened` } },
  ]);
  expect(exported.digest).toBe(digest);
  const ids = new Set<string | undefined>();
  for (const one of builders) {
    const loaded = { builder: one, context: dir, reproducible: true, load: true, noCache: true };
    ids.add((await build({ ...loaded, tags: ["reproducible:loaded"] })).imageId);
  }
  expect([...ids]).toEqual([expect.stringMatching(/^sha256:/)]);
  await place.engine.images.remove("reproducible:loaded", { force: true });
});

test("the time is the given one, else that of the last commit, else 0", async () => {
  const repository = repositoryAt("times");
  const time = repository.git("log", "-1", "--format=%ct");
  const epochOf = async (options: Partial<BuildCallOptions>) =>
    (
      await plan({
        context: repository.dir,
        reproducible: true,
        env: { PATH: process.env["PATH"] },
        ...options,
      })
    ).attrs["build-arg:SOURCE_DATE_EPOCH"];
  expect(await epochOf({})).toBe(time);
  const below = path.join(repository.dir, "below");
  await mkdir(below);
  await writeFile(path.join(below, "Dockerfile"), "FROM scratch\n");
  expect(await epochOf({ context: below })).toBe(time);
  const env = { PATH: process.env["PATH"], SOURCE_DATE_EPOCH: "1700000000" };
  expect(await epochOf({ env })).toBe("1700000000");
  expect(await epochOf({ env, buildArgs: { SOURCE_DATE_EPOCH: "7" } })).toBe("7");
  expect(await epochOf({ context: files({ Dockerfile: "FROM scratch\n" }) })).toBe("0");
  expect(await epochOf({ context: "https://git.example.com/app.git" })).toBe("0");
  expect(await epochOf({ reproducible: false })).toBeUndefined();
  const outside = await place.context({ Dockerfile: "FROM scratch\n" });
  expect(await epochOf({ context: outside })).toBe("0");
  const empty = makeRepository(place.path("empty"));
  await writeFile(path.join(empty.dir, "Dockerfile"), "FROM scratch\n");
  expect(await epochOf({ context: empty.dir })).toBe("0");
  // Without a git there is no commit.
  expect(await epochOf({ env: { PATH: place.dir } })).toBe("0");
  for (const wrong of ["", "today", "1.5", "-1", "context"])
    await expect(epochOf({ buildArgs: { SOURCE_DATE_EPOCH: wrong } })).rejects.toThrow(
      `needs SOURCE_DATE_EPOCH in seconds since 1970, not ${JSON.stringify(wrong)}`,
    );
});

test("warnings tell what is another thing another day, by line", async () => {
  const [builder] = builders;
  const text = `${dockerfile}RUN true && \\\n  date\n`;
  const dir = await place.context({ Dockerfile: text, name: "x" });
  const { warnings } = await build({
    builder,
    context: dir,
    reproducible: true,
    outputs: [{ type: "cacheonly" }],
  });
  expect(warnings).toMatchObject([
    {
      short:
        "NotReproducible: the base image busybox has no digest, and may be another one another day (line 1)",
      source: { filename: "Dockerfile", path: path.join(dir, "Dockerfile") },
      ranges: [{ start: { line: 1 } }],
    },
    { short: expect.stringContaining("(line 5)") as string, ranges: [{ start: { line: 5 } }] },
  ]);
  const own = await place.builder("c", "--driver-opt", "network=host", "--bootstrap");
  const told = await place.run([
    ...["build", "--builder", own, "--progress", "plain", "--reproducible"],
    ...["--provenance", "true", "--debug", "-o", "type=oci,compression=zstd,dest=/dev/null", dir],
  ]);
  expect(told.exitCode).toBe(0);
  expect(told.stderr).toContain("[reproducible] SOURCE_DATE_EPOCH=0 (there is no commit to take it from)");
  expect(told.stderr).toContain("2 warnings found");
  expect(told.stderr).toMatch(/Dockerfile:5\n-{20}\n(.*\n)*? {3}5 \| >>> {3}date/);
  expect(told.stderr).toContain("compression=zstd of the output oci: another release of BuildKit may");
  expect(told.stderr).toContain("attestations tell when and how it was built");
});

test("is refused where it cannot be, before anything is built", async () => {
  const [builder] = builders;
  const context = files({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
  const attempt = (more: Partial<BuildCallOptions>) =>
    build({ builder, context, reproducible: true, ...more });
  for (const name of ["rewrite-timestamp", "force-compression"])
    await expect(
      attempt({ outputs: [{ type: "oci", dest: place.path("x.tar"), attrs: { [name]: "false" } }] }),
    ).rejects.toThrow(`${name}=false of the output oci contradicts a reproducible build`);
  const old = await Builder.ensure({
    name: "reproducible-old",
    driverOpts: { network: "host", image: "moby/buildkit:v0.12.5" },
  });
  await expect(attempt({ builder: old, outputs: [{ type: "cacheonly" }] })).rejects.toThrow(
    "needs v0.13 or later",
  );
  await old.remove();
  if (engine === "docker")
    await expect(attempt({ builder: "default" })).rejects.toThrow(
      /needs v0\.13 or later|classic image store/,
    );
});
