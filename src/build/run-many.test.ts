import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../test/support/fake-result.js";
import { gate } from "../../test/support/gate.js";
import type { control, gateway } from "../buildkit/index.js";
import type { BuildEvent } from "../core/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../http2/index.js";
import { type BuildManyOptions, type TargetOptions, buildMany } from "./build-many.js";
import { files } from "./contexts.js";

let fake: FakeResult;
afterEach(() => fake[Symbol.asyncDispose]());

const context = files({ Dockerfile: "FROM scratch\n" });

/** Targets by name; each is known to the daemon by its stage. */
function targets(given: Record<string, Partial<TargetOptions>>): Map<string, TargetOptions> {
  return new Map(
    Object.entries(given).map(([name, more]) => [
      name,
      { context, target: name, outputs: [{ type: "cacheonly" }], ...more },
    ]),
  );
}

/** Builds them, and gives how that ended, what was told, and by whom. */
async function attempt(
  given: Record<string, Partial<TargetOptions>>,
  options: Partial<BuildManyOptions> = {},
) {
  const events: BuildEvent[] = [];
  const byTarget: string[] = [];
  const outcome = await buildMany(targets(given), {
    builder: "b",
    env: fake.builder.env,
    onEvent: (event) => void events.push(event),
    onTargetEvent: (target, event) => void byTarget.push(`${target} ${event.type}`),
    ...options,
  }).then(
    ({ results, failures }) => ({ error: undefined, results, failures }),
    (error: Error & { code?: string }) => ({ error, results: undefined, failures: undefined }),
  );
  const warnings = events.flatMap((one) => (one.type === "message" ? [one.text] : []));
  return { ...outcome, events, byTarget, warnings };
}

/** The stage that a frontend is asked for. */
const stageOf = ({ FrontendOpt }: gateway.SolveRequest) => FrontendOpt["target"] ?? "";
const stage = ({ FrontendAttrs }: control.SolveRequest) => FrontendAttrs["target"] ?? "";
const failed = (message: string) => new GrpcError(grpcCodes.unknown, message);
const answer = (id: string, def?: object) => ({
  result: { result: { case: "ref" as const, value: { id, ...(def && { def }) } } },
});
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const told = (failures: ReadonlyMap<string, Error> | undefined) =>
  Object.fromEntries([...(failures ?? [])].map(([name, { message }]) => [name, message]));

/** Fails a target's frontend as soon as those of the others have begun. */
function failing(names: Record<string, string>, count: number) {
  const all = gate();
  let begun = 0;
  fake.script.solve = async (call, request) => {
    if (++begun === count) all.open();
    await all.opened;
    const message = names[stageOf(request)];
    if (message === undefined) return cancelled(call);
    throw failed(message);
  };
}

describe("several targets", () => {
  it("are built side by side, each told by its name, and kept as one group", async () => {
    fake = await FakeResult.open();
    const status: BuildEvent[] = [];
    fake.script.status = async function* ({ Ref }) {
      const vertexes = [{ digest: "sha256:1", name: "[1/1] FROM scratch", inputs: [] }];
      yield { vertexes, logs: [{ vertex: "sha256:1", stream: 1, msg: Buffer.from(Ref) }] };
    };
    fake.script.exports = (request) => ({ "containerimage.digest": digest(stage(request)) });
    const { results, failures, events, byTarget } = await attempt({ b: {}, a: {} }, { describe: false });
    for (const event of events) if (event.type === "status") status.push(event);
    const digests = new Map([...(results ?? [])].map(([name, result]) => [name, result.digest]));
    expect(digests).toEqual(
      new Map([
        ["a", digest("a")],
        ["b", digest("b")],
      ]),
    );
    expect(failures?.size).toBe(0);
    const named = status.flatMap((event) => (event.type === "status" ? event.vertexes : []));
    const names = named.map(({ name }) => name).filter((name) => !name.includes("booting"));
    expect(names.sort()).toEqual(["[a 1/1] FROM scratch", "[b 1/1] FROM scratch"]);
    // Of a step that both have, the output is shown once.
    expect(status.flatMap((event) => (event.type === "status" ? event.logs : []))).toHaveLength(1);
    expect(byTarget).toEqual(expect.arrayContaining(["a status", "b status"]));
    const builder = await fake.builder.builder();
    const [state] = await Promise.all(
      [...(results ?? new Map())].map(([, { ref }]) => {
        const [, node, id] = (ref as string).split("/") as [string, string, string];
        return builder.store.localState.readRef("b", node, id);
      }),
    );
    expect(state).toMatchObject({ groupRef: expect.stringMatching(/.+/) as string });
  });

  it("say once what is about several of them", async () => {
    fake = await FakeResult.open();
    const cacheFrom = [{ type: "local", attrs: { src: "/nonexistent" } }];
    const { warnings } = await attempt({ a: { outputs: [], cacheFrom }, b: { outputs: [], cacheFrom } });
    expect(warnings).toEqual([
      expect.stringMatching(/^No output specified for a, b target\(s\) with docker-container driver/),
      expect.stringMatching(/^local cache import at \/nonexistent not found/),
    ]);
    expect((await attempt({ default: { outputs: [] } })).warnings).toEqual([
      expect.stringMatching(/^No output specified with docker-container driver/),
    ]);
  });

  it("are named in what is wrong with their options, before anything is asked of a daemon", async () => {
    fake = await FakeResult.open();
    const { error } = await attempt({ a: {}, b: { context: "/nonexistent" }, c: {} });
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringMatching(/^target b: /) });
    expect(fake.builder.engine.callsOf("POST", "/containers/buildx_buildkit_b0/start")).toEqual([]);
    expect((await attempt({ only: { context: "/nonexistent" } })).error?.message).not.toContain("target ");
  });

  it.each(["__proto__", "toString", "a b", "ä", ""])("may be called %j", async (name) => {
    fake = await FakeResult.open();
    const given = Object.fromEntries([
      [name, { target: "x" }],
      ["user", { target: "y", buildContexts: { base: `target:${name}` } }],
    ]) as Record<string, Partial<TargetOptions>>;
    const inputs: string[] = [];
    fake.script.solve = (_call, request) => {
      inputs.push(...Object.keys(request.FrontendInputs));
      return answer(stageOf(request), { def: [Buffer.from("op")] });
    };
    const { results, error } = await attempt(given);
    expect(error).toBeUndefined();
    expect(inputs).toEqual([`0-${name}`]);
    expect([...(results?.keys() ?? [])].sort()).toEqual([name, "user"].sort());
  });
});

describe("a target that fails", () => {
  it("ends the others, and is what is told", async () => {
    fake = await FakeResult.open();
    failing({ b: "the disk is full" }, 3);
    const { error, byTarget } = await attempt({ a: {}, b: {}, c: {} });
    expect(error).toMatchObject({
      code: "BUILD_FAILED",
      message: "target b: failed to solve: the disk is full",
    });
    expect(byTarget.filter((text) => text.endsWith("end"))).toEqual([]);
  });

  it("lets the others go on where that is asked for", async () => {
    fake = await FakeResult.open();
    const over = gate();
    fake.script.solve = async (_call, request) => {
      if (stageOf(request) === "b") throw failed("no");
      await over.opened;
      return answer("r");
    };
    fake.script.ended = ({ error }) => {
      if (error) over.open();
    };
    const { results, failures, error } = await attempt(
      { a: {}, b: {}, c: {} },
      { onTargetError: "continue" },
    );
    expect(error).toBeUndefined();
    expect([...(results?.keys() ?? [])].sort()).toEqual(["a", "c"]);
    expect(told(failures)).toEqual({ b: "target b: failed to solve: no" });
  });
});

/** A directory with these files, to build from. */
async function directory(given: Record<string, string>): Promise<string> {
  const dir = join(fake.builder.dir, "context");
  await mkdir(dir);
  for (const [name, text] of Object.entries(given)) await writeFile(join(dir, name), text);
  return dir;
}

describe("a directory that several targets have", () => {
  const dockerfile = "FROM scratch\nCOPY x /\n";
  const shared = (request: gateway.SolveRequest) => request.FrontendOpt["local-sessionid:context"];

  it("is served by one session, and what is in memory by each target's own", async () => {
    fake = await FakeResult.open();
    const dir = await directory({ Dockerfile: dockerfile });
    const asked = new Map<string, gateway.SolveRequest>();
    fake.script.solve = (_call, request) => (asked.set(stageOf(request), request), answer("r"));
    const { error } = await attempt({ a: { context: dir }, b: { context: dir }, c: {} });
    expect(error).toBeUndefined();
    const ids = ["a", "b", "c"].map((name) => shared(asked.get(name) as gateway.SolveRequest));
    expect(ids[0]).toEqual(expect.any(String));
    expect(ids).toEqual([ids[0], ids[0], undefined]);
    const { sessions } = fake.builder.daemon;
    expect(sessions).toHaveLength(4);
    const of = new Map(sessions.map((session) => [session.id, session]));
    expect(of.get(ids[0] ?? "")?.sharedKey).toMatch(/^context:/);
    expect(of.get(ids[0] ?? "")?.methods).toContain("/moby.filesync.v1.FileSync/DiffCopy");
    const own = (name: string) => of.get(fake.solves.find((one) => stage(one) === name)?.Session ?? "");
    expect(own("a")?.methods).not.toContain("/moby.filesync.v1.FileSync/DiffCopy");
    expect(own("c")?.methods).toContain("/moby.filesync.v1.FileSync/DiffCopy");
  });

  it("has a key for each set of files that is asked for of it", async () => {
    fake = await FakeResult.open();
    const context = await directory({ A: dockerfile, B: dockerfile.replace("x", "y"), C: dockerfile });
    const place = (file: string) => ({ context, file: join(context, file), target: "" });
    expect((await attempt({ a: place("A"), b: place("B"), c: place("C") })).error).toBeUndefined();
    const keys = new Set(fake.builder.daemon.sessions.map(({ sharedKey }) => sharedKey));
    expect(keys.size).toBe(2);
    expect(keys).toEqual(new Set([...keys].filter((key) => /^context:[^:]*:[0-9a-f]{12}$/.test(key))));
  });

  it("tells all of them why it could not be sent, in the name of none", async () => {
    fake = await FakeResult.open();
    const context = await directory({ Dockerfile: dockerfile });
    const both = gate();
    let begun = 0;
    fake.script.solve = async (_call, request) => {
      await rm(context, { recursive: true, force: true });
      const session = fake.builder.daemon.sessions.find(({ id }) => id === shared(request));
      const sync = await session?.call("/moby.filesync.v1.FileSync/DiffCopy", { "dir-name": "context" });
      expect((await sync?.status)?.code).toBe(grpcCodes.notFound);
      if (++begun === 2) both.open();
      await both.opened;
      throw failed("nothing was sent");
    };
    const given = { a: { context }, b: { context } };
    const { failures } = await attempt(given, { onTargetError: "continue" });
    const text = expect.stringMatching(/^cannot use directory /) as string;
    expect(told(failures)).toEqual({ a: text, b: text });
  });

  it.each(["its session", "its daemon"])("is lost with %s, which all of them are told", async (what) => {
    fake = await FakeResult.open();
    const context = await directory({ Dockerfile: dockerfile });
    const both = gate();
    let begun = 0;
    fake.script.solve = async (call, request) => {
      if (++begun === 2) both.open();
      await both.opened;
      const { daemon } = fake.builder;
      if (what === "its daemon") void daemon[Symbol.asyncDispose]();
      else await daemon.sessions.find(({ id }) => id === shared(request))?.stop();
      return cancelled(call);
    };
    const given = { a: { context }, b: { context } };
    const { failures } = await attempt(given, { onTargetError: "continue" });
    expect([...(failures?.keys() ?? [])].sort()).toEqual(["a", "b"]);
    for (const [name, error] of failures ?? []) {
      expect(error).toMatchObject({ code: expect.stringMatching(/LOST/) as string });
      // In the target's name, or in none where both have the same.
      expect(error.message.replace(`target ${name}: `, "")).not.toMatch(/target [ab]: /);
    }
  });

  it.each(["opening its session", "asking for it"])(
    "ends with the cancel in the phase of %s",
    async (phase) => {
      fake = await FakeResult.open();
      const context = await directory({ Dockerfile: dockerfile });
      const abort = new AbortController();
      const { daemon } = fake.builder;
      void daemon.session().then(() => phase === "opening its session" && abort.abort());
      fake.script.solve = async (call, request) => {
        const session = daemon.sessions.find(({ id }) => id === shared(request));
        // Nothing of it is taken.
        const sync = await session?.call("/moby.filesync.v1.FileSync/DiffCopy", { "dir-name": "context" });
        sync?.status.catch(() => {}); // its session ends with the build
        abort.abort();
        return cancelled(call);
      };
      const { error } = await attempt({ a: { context }, b: { context } }, { signal: abort.signal });
      expect(error).toMatchObject({ code: "ABORTED" });
    },
  );
});

describe("how many targets are built at the same time", () => {
  /** How many were, and in which order they began. */
  async function running(concurrency: number | undefined, names: string[]) {
    let now = 0;
    let most = 0;
    const order: string[] = [];
    const all = gate();
    fake.script.solve = async (_call, request) => {
      order.push(stageOf(request));
      most = Math.max(most, ++now);
      if (now === names.length) all.open();
      if (!concurrency) await all.opened;
      else await new Promise((resolve) => setImmediate(resolve));
      now--;
      return answer("r");
    };
    const given = Object.fromEntries(names.map((name) => [name, {}]));
    const { error, results } = await attempt(given, { concurrency });
    expect(error).toBeUndefined();
    expect(results?.size).toBe(names.length);
    return { most, order };
  }

  it("is as many as there are unless it is said, and each waits for its turn", async () => {
    fake = await FakeResult.open();
    expect((await running(undefined, ["a", "b", "c"])).most).toBe(3);
    expect(await running(1, ["b", "c", "a"])).toEqual({ most: 1, order: ["a", "b", "c"] });
    expect((await running(2, ["a", "b", "c"])).most).toBeLessThanOrEqual(2);
  });

  it("is as many as there are with 0, as for the command", async () => {
    fake = await FakeResult.open();
    expect((await running(0, ["a", "b"])).most).toBe(2);
  });

  it("cannot be limited where targets wait for one another", async () => {
    fake = await FakeResult.open();
    const linked = { a: {}, b: { buildContexts: { x: "target:a" } } };
    expect((await attempt(linked, { concurrency: 1 })).error?.message).toContain(
      "limited parallelism is not supported with linked targets",
    );
    expect(
      (await attempt({ a: {}, b: {} }, { concurrency: 1, deferOutputs: true })).error?.message,
    ).toContain("defer-output execution requires parallelism");
    expect((await attempt(linked, { concurrency: 2 })).error).toBeUndefined();
  });

  it("leaves those that wait for their turn out when the build is cancelled", async () => {
    fake = await FakeResult.open();
    const abort = new AbortController();
    const begun: string[] = [];
    fake.script.solve = async (call, request) => {
      begun.push(stageOf(request));
      abort.abort(new Error("not wanted"));
      return cancelled(call);
    };
    const { error } = await attempt({ a: {}, b: {}, c: {} }, { concurrency: 1, signal: abort.signal });
    expect(error).toMatchObject({ code: "ABORTED", cause: { message: "not wanted" } });
    expect(begun).toEqual(["a"]);
  });
});

describe("a target that is built on another", () => {
  const base = { buildContexts: { base: "target:base" } };
  const operation = Buffer.from("op");

  it("gets what the other's frontend described, with the image's configuration", async () => {
    fake = await FakeResult.open();
    const evaluated: string[] = [];
    const asked: gateway.SolveRequest[] = [];
    fake.script.evaluate = (_call, { Ref }) => (evaluated.push(Ref), {});
    fake.script.solve = (_call, request) => {
      if (stageOf(request) === "base") {
        const { result } = answer("base", { def: [operation] });
        return { result: { ...result, metadata: { "containerimage.config": Buffer.from("{}") } } };
      }
      asked.push(request);
      return answer("app");
    };
    const { error } = await attempt({ base: {}, app: base });
    expect(error).toBeUndefined();
    expect(asked).toMatchObject([
      {
        FrontendOpt: {
          "context:base": "input:0-base",
          "input-metadata:0-base": '{"containerimage.config":"e30="}',
        },
        FrontendInputs: { "0-base": { def: [operation] } },
      },
    ]);
    // It is not put out before those that are built on it have been built.
    expect(evaluated.sort()).toEqual(["app", "base"]);
  });

  it.each([
    ["no result", {}, { "context:base": "docker-image://scratch" }],
    ["an empty one", answer("", { def: [] }), { "context:base": "docker-image://scratch" }],
    [
      "one a platform",
      {
        result: {
          result: {
            case: "refs" as const,
            value: {
              refs: {
                "linux/amd64": { id: "1", def: { def: [operation] } },
                "linux/arm64": { id: "" },
              },
            },
          },
          metadata: { "containerimage.config/linux/amd64": Buffer.from("{}") },
        },
      },
      {
        "context:base::linux/amd64": "input:0-base::linux/amd64",
        "context:base::linux/arm64": "docker-image://scratch",
        "input-metadata:0-base::linux/amd64": '{"containerimage.config":"e30="}',
      },
    ],
  ])("which has %s gets it as its frontend knows it", async (_what, result, attrs) => {
    fake = await FakeResult.open();
    let asked: Record<string, string> = {};
    fake.script.solve = (_call, request) => {
      if (stageOf(request) === "base") return result;
      asked = request.FrontendOpt;
      return answer("app");
    };
    expect((await attempt({ base: {}, app: base })).error).toBeUndefined();
    const contexts = Object.entries(asked).filter(([key]) => /^(context|input-metadata):/.test(key));
    expect(Object.fromEntries(contexts)).toEqual(attrs);
  });

  it("fails when that fails, which is what is told", async () => {
    fake = await FakeResult.open();
    failing({ base: "no such image" }, 1);
    const { error } = await attempt({ base: {}, app: base, more: { buildContexts: { x: "target:app" } } });
    expect(error?.message).toBe("target base: failed to solve: no such image");
  });

  it("tells why where the others go on", async () => {
    fake = await FakeResult.open();
    fake.script.solve = (_call, request) => {
      if (stageOf(request) === "base") throw failed("no such image");
      return answer("other");
    };
    const chain = { base: {}, app: base, last: { buildContexts: { x: "target:app" } }, other: {} };
    const { failures, results } = await attempt(chain, { onTargetError: "continue" });
    expect([...(results?.keys() ?? [])]).toEqual(["other"]);
    const why = "target base: failed to solve: no such image";
    const app = `target app: base, which it is built on, has failed: ${why}`;
    expect(told(failures)).toEqual({
      base: why,
      app,
      last: `target last: app, which it is built on, has failed: ${app}`,
    });
    expect(failures?.get("app")).toMatchObject({ code: "TARGET_LINK" });
  });

  it("does not keep the other from being put out when it fails itself", async () => {
    fake = await FakeResult.open();
    fake.script.solve = (_call, request) => {
      if (stageOf(request) === "app") throw failed("no");
      return answer("base", { def: [operation] });
    };
    const { failures, results } = await attempt({ base: {}, app: base }, { onTargetError: "continue" });
    expect([...(results?.keys() ?? [])]).toEqual(["base"]);
    expect(told(failures)).toEqual({ app: "target app: failed to solve: no" });
  });

  it("cannot be one of another builder's node", async () => {
    fake = await FakeResult.open(["linux/amd64", "linux/arm64"]);
    const given = { base: { platforms: ["linux/amd64"] }, app: { ...base, platforms: ["linux/arm64"] } };
    const { error } = await attempt(given);
    // Not by the node that is not there: only the one that fails is told.
    expect(error).toMatchObject({
      code: "TARGET_LINK",
      message: expect.stringContaining("build both for platforms of one node") as string,
    });
  });

  it.each(["the other's frontend", "its own frontend", "building the other", "building itself"])(
    "is over when it is cancelled in the phase of %s",
    async (phase) => {
      fake = await FakeResult.open();
      const abort = new AbortController();
      const stall = (call: ServerCall) => {
        setImmediate(() => abort.abort());
        return cancelled(call);
      };
      fake.script.solve = (call, request) => {
        const isBase = stageOf(request) === "base";
        if (phase === (isBase ? "the other's frontend" : "its own frontend")) return stall(call);
        return answer(stageOf(request), { def: [operation] });
      };
      fake.script.evaluate = (call, { Ref }) =>
        phase === (Ref === "base" ? "building the other" : "building itself") ? stall(call) : {};
      const { error } = await attempt({ base: {}, app: base }, { signal: abort.signal });
      expect(error).toMatchObject({ code: "ABORTED" });
    },
  );
});

describe("targets that are put out together", () => {
  it("are put out when all have been built, and none when one fails", async () => {
    fake = await FakeResult.open();
    const events: string[] = [];
    fake.script.evaluate = (_call, { Ref }) => (events.push(`built ${Ref}`), {});
    fake.script.exports = (request) => (events.push(`out ${stage(request)}`), {});
    fake.script.solve = (_call, request) => answer(stageOf(request));
    expect((await attempt({ a: {}, b: {} }, { deferOutputs: true })).error).toBeUndefined();
    expect(events.slice(0, 2).sort()).toEqual(["built a", "built b"]);
    expect(events.slice(2).sort()).toEqual(["out a", "out b"]);
    events.length = 0;
    fake.script.evaluate = (_call, { Ref }) => {
      if (Ref === "b") throw failed("no");
      return {};
    };
    const { error } = await attempt({ a: {}, b: {} }, { deferOutputs: true });
    expect(error?.message).toBe("target b: failed to solve: no");
    expect(events).toEqual([]);
  });

  it("each tell their own failure, or whose it was, where others go on", async () => {
    fake = await FakeResult.open();
    fake.script.solve = (_call, request) => {
      if (stageOf(request) === "b") throw failed("no");
      return answer(stageOf(request));
    };
    const { failures } = await attempt(
      { a: {}, b: {}, c: {} },
      { deferOutputs: true, onTargetError: "continue" },
    );
    expect(told(failures)).toEqual({
      a: "target a: nothing is put out, since another has failed: target b: failed to solve: no",
      b: "target b: failed to solve: no",
      c: "target c: nothing is put out, since another has failed: target b: failed to solve: no",
    });
  });

  it("answer a call on several nodes", async () => {
    fake = await FakeResult.open(["linux/amd64", "linux/arm64"]);
    const platforms = ["linux/amd64", "linux/arm64"];
    const given = {
      base: { platforms: ["linux/arm64"], call: "check" },
      app: { platforms, call: "check", buildContexts: { x: "target:other" } },
      other: { platforms, call: "check" },
    };
    fake.script.solve = (_call, request) => ({
      result: { metadata: { "result.txt": Buffer.from(stageOf(request)) } },
    });
    const { results, error } = await attempt(given, { deferOutputs: true });
    expect(error).toBeUndefined();
    const texts = new Set([...(results ?? [])].map(([, { call }]) => call?.text));
    expect(texts).toEqual(new Set(["app", "base", "other"]));
  });
});
