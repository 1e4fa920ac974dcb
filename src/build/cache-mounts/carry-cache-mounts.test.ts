import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecAnswer, FakeResult, cancelled, ended } from "../../../test/support/fake-result.js";
import { type gateway, pb } from "../../buildkit/index.js";
import type { BuildEvent } from "../../core/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../../http2/index.js";
import type { BuildOptions } from "../build-options.js";
import { build } from "../build.js";
import { files } from "../contexts.js";
import { encodeOp } from "../source-graph.js";

let fake: FakeResult;
let dir: string;
/** What cache mounts hold in the builder; undefined is what one is like that is new. */
let held: Buffer | undefined;
/** Commands that were run, as words. */
let run: string[];

const archive = Buffer.concat([Buffer.alloc(512, "head"), Buffer.alloc(512, "data"), Buffer.alloc(1024)]);
const emptyArchive = Buffer.concat([Buffer.alloc(512, "head"), Buffer.alloc(1024)]);

const image = encodeOp(
  { op: { case: "source", value: { identifier: "docker-image://docker.io/library/x:1" } } },
  [],
  "",
);

/** What a frontend makes of one step with these cache mounts. */
function graph(ids: readonly string[], { ignoreCache = false, base = false } = {}): pb.Definition {
  const mounts = ids.map((ID, at) => ({
    dest: `/cache${at}`,
    input: base ? 0n : -1n,
    output: -1n,
    mountType: pb.MountType.CACHE,
    cacheOpt: { ID },
  }));
  const step = encodeOp(
    {
      inputs: [{ digest: image.digest, index: 0n }],
      op: { case: "exec", value: { mounts: [{ dest: "/", input: 0n }, ...mounts] } },
    },
    [],
    "",
  );
  const end = encodeOp({ inputs: [{ digest: step.digest, index: 0n }] }, [], "");
  return create(pb.DefinitionSchema, {
    def: [image, step, end].map(({ data }) => data),
    metadata: { [step.digest]: { ignoreCache } },
  });
}

type Command = "ls" | "pack" | "unpack";
/** What a command does in place of what it would do. */
let commands: Partial<Record<Command, (call: ServerCall) => AsyncIterable<ExecAnswer>>>;

async function* unpack(requests: AsyncIterable<gateway.ExecMessage>): AsyncGenerator<ExecAnswer> {
  const pieces: Uint8Array[] = [];
  for await (const { Input } of requests)
    if (Input.case === "File") {
      pieces.push(Input.value.Data);
      if (Input.value.EOF) break;
    }
  held = Buffer.concat(pieces);
  yield* ended(0);
}

function described(def: pb.Definition) {
  fake.script.solve = (_call, { Definition }) => ({
    result: { result: { case: "ref", value: Definition ? { id: "image" } : { id: "built", def } } },
  });
}

beforeEach(async () => {
  fake = await FakeResult.open();
  dir = join(fake.builder.dir, "mounts");
  held = undefined;
  run = [];
  commands = {};
  isLost = false;
  described(graph(["/npm"]));
  fake.script.exec = (requests, call) => {
    const args = fake.begun.at(-1)?.Meta?.args ?? [];
    const command = args[0] === "ls" ? "ls" : args.includes("-cf") ? "pack" : "unpack";
    run.push(command);
    const own = commands[command]?.(call);
    if (own) return own;
    if (command === "unpack") return unpack(requests);
    const isListed = command === "ls" && held !== undefined;
    return command === "ls" ? ended(0, [1, isListed ? "file\n" : ""]) : ended(0, [1, held ?? emptyArchive]);
  };
  fake.script.evaluate = () => (run.push("build"), (held ??= archive), {});
});
afterEach(() => fake[Symbol.asyncDispose]());

let isLost: boolean;

async function attempt(more: Partial<BuildOptions> = {}) {
  const events: BuildEvent[] = [];
  const error = await build({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM x\nRUN --mount=type=cache,target=/npm make\n" }),
    outputs: [{ type: "cacheonly" }],
    cacheMounts: { dir },
    onEvent: (event) => void events.push(event),
    ...more,
  }).then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  );
  const texts = events.flatMap((event) => (event.type === "message" ? [event.text] : []));
  const steps = events.flatMap((event) => (event.type === "status" ? event.vertexes : []));
  // Nothing stays in the builder, which a lost one cannot be told.
  if (!isLost) expect(fake.containers.size).toBe(0);
  return { error, texts, steps: steps.map(({ name }) => name) };
}

const saved = async () => (await readdir(dir)).sort();

describe("cache mounts of a build", () => {
  it("are saved after it, filled in before one on a new builder, and kept where there is something", async () => {
    expect((await attempt()).error).toBeUndefined();
    expect(run).toEqual(["build", "pack"]);
    const [name = ""] = await saved();
    expect(name).toMatch(/^npm-[0-9a-f]{16}\.tar$/);
    expect((await readFile(join(dir, name))).equals(archive)).toBe(true);
    run = [];
    held = undefined;
    const { steps } = await attempt();
    expect(run).toEqual(["ls", "unpack", "build", "pack"]);
    expect(steps).toEqual(expect.arrayContaining([`[internal] filling cache mounts from ${dir}`]));
    expect(held).toEqual(archive);
    run = [];
    await attempt();
    expect(run).toEqual(["ls", "build", "pack"]);
  });

  it("are saved of a build that fails, which is the error that is told", async () => {
    fake.script.evaluate = () => {
      held = archive;
      throw new GrpcError(grpcCodes.unknown, "the step failed");
    };
    expect((await attempt()).error?.message).toContain("the step failed");
    expect(await saved()).toHaveLength(1);
    commands.pack = () => ended(2, [2, "tar: cannot open"]);
    const { error, texts } = await attempt();
    expect(error?.message).toContain("the step failed");
    expect(texts.join()).toContain("tar: cannot open");
  });

  it("that cannot be saved fail the build, with every image that was tried", async () => {
    commands.pack = () => ended(127, [2, "tar: not found"]);
    const { error } = await attempt();
    expect(error).toMatchObject({ code: "CACHE_MOUNT" });
    expect(error?.message).toMatch(
      /docker\.io\/library\/x:1: tar: not found; docker\.io\/library\/busybox:latest: tar/,
    );
    expect(await saved()).toEqual([]);
    run = [];
    await attempt({ cacheMounts: { dir, image: "tools" } });
    expect(run).toEqual(["build", "pack"]);
  });

  it("that cannot be filled in are warned of, and the build goes on", async () => {
    await attempt();
    held = undefined;
    commands.unpack = () => ended(1, [2, "no space left"]);
    const { error, texts } = await attempt();
    expect(error).toBeUndefined();
    expect(texts.join()).toMatch(/tar failed on the cache mount npm .*no space left/);
    const [name = ""] = await saved();
    await writeFile(join(dir, name), "cut off");
    const broken = await attempt();
    expect(broken.error).toBeUndefined();
    expect(broken.texts.join()).toMatch(/cache mount npm is not filled: .*no whole archive/);
  });

  it("are looked into in another image when the first cannot be had, or nothing be started in it", async () => {
    let asked = 0;
    fake.script.newContainer = () => {
      if (asked++ === 0) throw new GrpcError(grpcCodes.unknown, "no such program");
      return {};
    };
    expect((await attempt()).error).toBeUndefined();
    expect(await saved()).toHaveLength(1);
    delete fake.script.newContainer;
    described(graph(["/npm"]));
    const { solve } = fake.script;
    let pulled = 0;
    fake.script.solve = (call, request) => {
      if (request.Definition && pulled++ === 0) throw new GrpcError(grpcCodes.notFound, "no such image");
      return solve?.(call, request) ?? {};
    };
    held = undefined;
    expect((await attempt()).error).toBeUndefined();
    expect(pulled).toBeGreaterThan(1);
  });

  it("whose archive breaks off or is empty do not take the place of what is there", async () => {
    await attempt();
    const [name = ""] = await saved();
    commands.pack = () => ended(0, [1, archive.subarray(0, 700)]);
    expect((await attempt()).error?.message).toBe("the archive of the cache mount npm broke off");
    commands.pack = () => ended(0, [1, emptyArchive]);
    expect((await attempt()).error).toBeUndefined();
    expect(await saved()).toEqual([name]);
    expect((await readFile(join(dir, name))).equals(archive)).toBe(true);
  });

  it("are saved a few at once, and all of them", async () => {
    const names = Array.from({ length: 9 }, (_, at) => `/m${at}`);
    described(graph(names));
    expect((await attempt()).error).toBeUndefined();
    expect(await saved()).toHaveLength(9);
  });

  it("of steps without cache are said not to be filled", async () => {
    await attempt();
    described(graph(["/npm"], { ignoreCache: true }));
    run = [];
    expect((await attempt()).texts).toEqual([expect.stringContaining("so nothing is filled in")]);
    expect(run).toEqual(["build", "pack"]);
  });

  it("that begin with files are filled only while they hold nothing else", async () => {
    described(graph(["/npm"], { base: true }));
    await attempt();
    held = undefined;
    run = [];
    let listed = 0;
    commands.ls = () => ended(0, [1, `first ${listed++ > 1 ? "changed" : ""}`]);
    await attempt();
    expect(run).toEqual(["ls", "ls", "unpack", "build", "pack"]);
    run = [];
    await attempt();
    expect(run.slice(0, 3)).toEqual(["ls", "ls", "unpack"]);
  });

  it("are of no use where a frontend tells no graph, or one that cannot be read", async () => {
    fake.script.solve = () => ({ result: { result: { case: "ref", value: { id: "built" } } } });
    expect((await attempt()).error).toBeUndefined();
    expect(run).toEqual(["build"]);
    described(create(pb.DefinitionSchema, { def: [Buffer.from("nonsense")] }));
    expect((await attempt()).error).toMatchObject({ code: "BUILDER_CLAIM" });
    fake.script.solve = () => ({});
    expect((await attempt()).error).toBeUndefined();
  });

  it("are made by an old daemon that knows no Evaluate", async () => {
    fake.script.evaluate = () => {
      throw new GrpcError(grpcCodes.unimplemented, "unknown method Evaluate");
    };
    const asked: string[] = [];
    fake.script.statFile = ({ Path }) => (asked.push(Path), (held = archive), {});
    expect((await attempt()).error).toBeUndefined();
    expect(asked).toEqual(["."]);
    expect(await saved()).toHaveLength(1);
  });

  it.each(["ls", "unpack", "build", "pack"] as const)(
    "are left as they were by a cancel in the phase of %s",
    async (phase) => {
      await attempt();
      const [name = ""] = await saved();
      held = undefined;
      const abort = new AbortController();
      const stall = (call: ServerCall): Promise<never> => {
        abort.abort();
        return cancelled(call);
      };
      async function* stalled(call: ServerCall): AsyncGenerator<ExecAnswer> {
        yield { case: "Started", value: {} };
        await stall(call);
      }
      if (phase === "build") fake.script.evaluate = (call) => stall(call);
      else commands[phase] = stalled;
      expect((await attempt({ signal: abort.signal })).error).toMatchObject({ code: "ABORTED" });
      expect(await saved()).toEqual([name]);
      expect((await readFile(join(dir, name))).equals(archive)).toBe(true);
    },
  );

  it.each(["ls", "unpack", "pack"] as const)(
    "are left as they were by a daemon that is lost in the phase of %s",
    async (phase) => {
      await attempt();
      const [name = ""] = await saved();
      held = undefined;
      commands[phase] = async function* (call) {
        yield { case: "Started", value: {} };
        isLost = true;
        void fake.builder.daemon[Symbol.asyncDispose]();
        await cancelled(call);
      };
      const { error } = await attempt();
      expect(error?.code).toMatch(/LOST/);
      expect(await saved()).toEqual([name]);
    },
  );
});
