import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuildEvent, bake, readBake } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { parsePlainLog } from "../support/plain-log.js";
import { Workplace } from "../support/workplace.js";

const definition = `
group "default" { targets = ["app", "tools"] }
target "base" { dockerfile-inline = "FROM busybox\\nENV STAGE=base\\nRUN echo base >/base" }
target "app" {
  description       = "What is shipped"
  context           = "ctx"
  dockerfile-inline = "FROM base\\nCOPY greeting /\\nRUN echo $STAGE >/stage"
  contexts          = { base = "target:base" }
  tags              = ["bake/app:1"]
}
target "tools" {
  context           = "ctx"
  dockerfile-inline = "FROM busybox\\nCOPY greeting /\\n"
}
target "nothing" { dockerfile-inline = "FROM scratch" }
target "on-nothing" {
  context           = "ctx"
  dockerfile-inline = "FROM nothing\\nCOPY greeting /\\n"
  contexts          = { nothing = "target:nothing" }
}
target "bad" { dockerfile-inline = "FROM busybox\\nRUN echo oops; exit 3" }
target "worse" { dockerfile-inline = "FROM busybox\\nRUN echo no; exit 4" }
target "broken" { dockerfile-inline = "FROM busybox\\nNOPE" }
target "on-broken" {
  dockerfile-inline = "FROM broken\\nRUN true"
  contexts          = { broken = "target:broken" }
}
target "endless" { dockerfile-inline = "FROM busybox\\nRUN echo begun && sleep 4242" }
target "both" {
  platforms         = ["linux/amd64", "linux/arm64"]
  dockerfile-inline = "FROM parts\\nCOPY --from=parts /part /copied"
  contexts          = { parts = "target:parts" }
}
target "parts" {
  context           = "ctx"
  platforms         = ["linux/amd64", "linux/arm64"]
  dockerfile-inline = "FROM scratch\\nARG TARGETARCH\\nENV ARCH=$TARGETARCH\\nCOPY $TARGETARCH /part"
}
`;

let place: Workplace;
let builder: string;

beforeAll(async () => {
  place = await Workplace.open("bake");
  await mkdir(place.path("ctx"));
  for (const name of ["greeting", "amd64", "arm64"]) await writeFile(place.path("ctx", name), `${name}\n`);
  await writeFile(place.path("docker-bake.hcl"), definition);
  builder = await place.builder("one", "--driver-opt", "network=host", "--use", "--bootstrap");
});
afterAll(() => place?.close());

const plain = (...args: string[]) => place.run(["bake", "--progress", "plain", ...args]);

describe("slipway bake", () => {
  test("builds targets side by side and on one another, each with its metadata", async () => {
    const { exitCode, stderr } = await plain(
      "--metadata-file",
      "m.json",
      "--set",
      "*.output=type=local,dest=out",
      "app",
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    // What is built on has its environment and its files; it is put nowhere by itself.
    expect(await readFile(place.path("out", "stage"), "utf8")).toBe("base\n");
    expect(await readFile(place.path("out", "base"), "utf8")).toBe("base\n");
    // Under the name of whichever of the two asked for the step first.
    expect(stderr).toMatch(/\[(?:base|app) 2\/2\] RUN echo base >\/base/);
    expect(stderr).toContain("[app] exporting to client directory");
    const metadata = JSON.parse(await readFile(place.path("m.json"), "utf8")) as Record<string, object>;
    expect(Object.keys(metadata)).toEqual(["app", "base"]);
    expect(metadata["app"]).toHaveProperty(["buildx.build.ref"]);
    const group = (await readdir(place.path("buildx", "refs", "__group__")))[0] as string;
    const saved = JSON.parse(
      await readFile(place.path("buildx", "refs", "__group__", group), "utf8"),
    ) as object;
    expect(saved).toMatchObject({ Targets: ["app"], Refs: [expect.any(String), expect.any(String)] });
  });

  test("says once which targets go nowhere", async () => {
    const { exitCode, stderr } = await plain();
    expect(exitCode).toBe(0);
    expect(stderr.match(/No output specified/g)).toHaveLength(1);
    // Both have the same context, which is sent once.
    const names = parsePlainLog(stderr).map(({ name }) => name);
    expect(names.filter((name) => name.endsWith("load build context"))).toHaveLength(1);
    expect(stderr).toContain("No output specified for app, tools target(s) with docker-container driver.");
  });

  test("builds on nothing, and on several platforms", async () => {
    const set = ["--set", "on-nothing.output=nothing", "--set", "both.output=both"];
    const { exitCode, stderr } = await plain("on-nothing", "both", ...set);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await readdir(place.path("nothing"))).toEqual(["greeting"]);
    for (const arch of ["amd64", "arm64"])
      expect(await readFile(place.path("both", `linux_${arch}`, "copied"), "utf8")).toBe(`${arch}\n`);
  });

  test("--load, --push, --no-cache, --pull, --provenance and --sbom change all targets", async () => {
    const flags = ["--load", "--push=false", "--no-cache", "--pull", "--provenance=false", "--sbom=false"];
    const { exitCode, stderr } = await plain(...flags, "app", "tools", "--set", "tools.tags=bake/tools:1");
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).not.toMatch(/COPY greeting[^\n]*\n#\d+ CACHED/);
    // One of them finds what the other has brought.
    expect(stderr).toMatch(/layer [0-9a-f]+ already present/);
    expect((await place.engine.images.inspect("bake/app:1")).Config?.Env).toContain("STAGE=base");
    await place.engine.images.inspect("bake/tools:1");
  });

  test("a failure ends the others, and says whose it is and where", async () => {
    const { exitCode, stderr } = await plain("bad", "endless");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("ERROR: target bad: failed to solve: process");
    expect(stderr).toMatch(/>>> RUN echo oops; exit 3/);
    expect(await place.processes(builder, "sleep 4242")).toEqual([]);
  });

  test("--jobs: the others go on, all failures are told, what is built on a failure is named", async () => {
    const { exitCode, stderr } = await plain(
      "--jobs",
      "defer-error",
      "--metadata-file",
      "good.json",
      "worse",
      "on-broken",
      "tools",
    );
    expect(exitCode).toBe(1);
    for (const text of [
      "target worse: failed to solve",
      "target broken: failed to solve",
      "target on-broken: broken, which it is built on, has failed",
    ])
      expect(stderr).toContain(text);
    expect(Object.keys(JSON.parse(await readFile(place.path("good.json"), "utf8")) as object)).toEqual([
      "tools",
    ]);

    const deferred = await plain("--jobs", "defer-output", "bad", "tools", "--set", "tools.output=never");
    expect(deferred.exitCode).toBe(1);
    await expect(readdir(place.path("never"))).rejects.toThrow("ENOENT");

    const limited = await plain("--jobs=1", "app");
    expect(limited.stderr).toContain("ERROR: limited parallelism is not supported with linked targets");
    expect((await plain("-j", "1", "tools", "nothing")).exitCode).toBe(0);
  });

  test("an interrupt ends all targets with 130", async () => {
    const run = place.start(["bake", "--progress", "plain", "endless", "tools"]);
    await run.said(/\d+\.\d+ begun/);
    run.child.kill("SIGINT");
    expect((await run.result).exitCode).toBe(130);
    expect(await place.processes(builder, "sleep 4242")).toEqual([]);
  });

  test("--check and --call print each target's answer", async () => {
    const { exitCode, stdout } = await plain("--check", "tools", "nothing");
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      "nothing\n\nCheck complete, no warnings found.\n\ntools\n\nCheck complete, no warnings found.\n",
    );
    const json = await plain("--call", "targets,format=json", "tools");
    expect(JSON.parse(json.stdout)).toMatchObject({
      group: { default: { targets: ["tools"] } },
      target: { tools: { build: { context: "ctx" }, targets: { targets: [{ default: true }] } } },
    });
  });

  test("--check tells of every target, also behind one with warnings, as buildx does", async () => {
    await writeFile(place.path("ctx", "lint.Dockerfile"), "from busybox\nRUN true\n");
    const content = `
target "first" { dockerfile-inline = "FROM busybox\\nENV A b\\n" }
target "second" {
  context    = "ctx"
  dockerfile = "lint.Dockerfile"
}
`;
    await writeFile(place.path("lint.hcl"), content);
    const args = ["bake", "-f", "lint.hcl", "--check", "--progress", "quiet", "first", "second"];
    const { exitCode, stdout } = await place.run(args);
    expect(stdout).toContain("inline:2");
    expect(stdout).toContain("ctx/lint.Dockerfile:1");
    const theirs = await new Promise<unknown[]>((resolve) => {
      const env = { ...process.env, ...place.env };
      const child = execFile(engineEnv().buildx as string, args, { cwd: place.dir, env }, (_error, out) =>
        resolve([child.exitCode, out]),
      );
    });
    expect([exitCode, stdout]).toEqual(theirs);
  });

  test("asks for what is beyond the working directory, and names it", async () => {
    const outside = [
      "tools",
      "--policy",
      "disabled=true",
      "--file",
      place.path("privileged.hcl"),
      "--file",
      "docker-bake.hcl",
    ];
    await writeFile(
      place.path("privileged.hcl"),
      'target "tools" {\n  entitlements = ["network.host"]\n  output = ["../beside/out"]\n}\n',
    );
    const asked = await plain(...outside);
    expect(asked.exitCode).toBe(1);
    expect(asked.stderr).toContain(
      " - Running build containers that can access host network\n - Write access to path ..\n",
    );
    expect(asked.stderr).toContain(
      'Pass "--allow=network.host --allow=fs.write=.." to grant requested privileges.',
    );
    expect(asked.stderr).toContain("ERROR: additional privileges requested\n");
    const raw = await place.run(["bake", "--progress", "rawjson", ...outside]);
    expect(raw.stderr).toContain(
      'additional privileges requested: pass "--allow=network.host --allow=fs.write=.." to grant',
    );
    const allowed = await plain("--print", "--allow", "network.host", "--allow", "fs.write=..", ...outside);
    expect(allowed.exitCode).toBe(0);
  });

  test("--print and --list need no builder; --var and --file change what is read", async () => {
    const options = { env: { BUILDX_BUILDER: "none" } };
    const file =
      'variable "V" {\n  default = "a"\n  type = string\n}\ntarget "default" {\n  args = { V = V }\n}\n';
    const printed = await place.run(["bake", "--print", "--var", "V=b", "--file", "-"], {
      ...options,
      input: file,
    });
    expect(JSON.parse(printed.stdout)).toMatchObject({ target: { default: { args: { V: "b" } } } });
    const listed = await place.run(["bake", "--list", "variables", "-f", "-"], { ...options, input: file });
    expect(listed.stdout).toBe("VARIABLE\tTYPE\tVALUE\tDESCRIPTION\nV\t\tstring\ta\t\n");
    expect(
      (await place.run(["bake", "--list-variables", "-f", "-"], { ...options, input: file })).stdout,
    ).toBe(listed.stdout);
    const targets = await place.run(["f", "--list-targets"], options);
    expect(targets.stdout).toContain("app\t\tWhat is shipped\n");
  });
});

describe("bake()", () => {
  test("gives results and events by target", async () => {
    const files = [{ name: "docker-bake.hcl", content: definition }];
    const env = { ...process.env, ...place.env };
    const plan = await readBake({ files, targets: ["app"], env, cwd: place.dir });
    expect(plan.targets.get("app")?.contexts).toEqual(new Map([["base", "target:base"]]));
    const events = new Map<string, number>();
    const shown: BuildEvent[] = [];
    const { targets } = await bake({
      plan,
      builder,
      env,
      cwd: place.dir,
      onEvent: (event) => shown.push(event),
      onTargetEvent: (target) => events.set(target, (events.get(target) ?? 0) + 1),
    });
    expect([...targets.keys()].sort()).toEqual(["app", "base"]);
    expect(targets.get("app")?.ref).toContain(builder);
    expect([...events.keys()].sort()).toEqual(["app", "base"]);
    expect(shown.filter(({ type }) => type === "end")).toHaveLength(1);
  });

  test("throws what must be allowed, and asks nobody", async () => {
    const content = 'target "default" {\n  context = ".."\n  dockerfile-inline = "FROM busybox"\n}\n';
    const run = bake({
      files: [{ name: "a.hcl", content }],
      env: { ...process.env, ...place.env },
      cwd: place.dir,
      builder,
    });
    await expect(run).rejects.toMatchObject({ code: "BAKE_PRIVILEGES", missing: [{ kind: "fs.read" }] });
  });

  test("continues behind a failure when asked to", async () => {
    const files = [{ name: "docker-bake.hcl", content: definition }];
    const env = { ...process.env, ...place.env };
    const { targets, failures } = await bake({
      files, env, builder, cwd: place.dir, targets: ["bad", "nothing"], onTargetError: "continue",
    }); // prettier-ignore
    expect([...targets.keys()]).toEqual(["nothing"]);
    expect(failures.get("bad")).toMatchObject({ code: "BUILD_FAILED", step: { exitCode: 3 } });
  });
});
