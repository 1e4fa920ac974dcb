import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../../test/support/fake-result.js";
import type { BuildEvent, BuildExplanation } from "../../core/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import type { BuildOptions } from "../build-options.js";
import { build } from "../build.js";
import { files } from "../contexts.js";

let fake: FakeResult;
let context: string;

const time = { seconds: 1n, nanos: 0 };
const dockerfile = "FROM scratch\nARG V\nCOPY src /s\nRUN make\n";
/** Steps as the daemon tells them; with `!` they ran. */
function steps(...names: string[]) {
  const vertexes = names.map((text) => {
    const [name = "", from = ""] = text.replace(/^!/, "").split(" <- ");
    const inputs = from === "" ? [] : [from];
    return { digest: name, name, cached: !text.startsWith("!"), started: time, completed: time, inputs };
  });
  return async function* () {
    yield { vertexes };
  };
}

const local = "[internal] load build context";
const copied = [`!${local}`, `![1/2] COPY src /s <- ${local}`, "![2/2] RUN make <- [1/2] COPY src /s"];
const cached = [local, `[1/2] COPY src /s <- ${local}`, "[2/2] RUN make"];

beforeEach(async () => {
  fake = await FakeResult.open();
  context = join(fake.builder.dir, "context");
  await mkdir(join(context, "src"), { recursive: true });
  await writeFile(join(context, "Dockerfile"), dockerfile);
  await writeFile(join(context, "src", "a"), "1");
  fake.script.status = steps(...copied);
});
afterEach(() => fake[Symbol.asyncDispose]());

async function attempt(more: Partial<BuildOptions> = {}) {
  const events: BuildEvent[] = [];
  const outcome = await build({
    builder: "b",
    env: fake.builder.env,
    context,
    outputs: [{ type: "cacheonly" }],
    explain: true,
    onEvent: (event) => void events.push(event),
    ...more,
  }).then(
    ({ explained }) => ({ explained, error: undefined }),
    (error: Error & { code?: string }) => ({ explained: undefined, error }),
  );
  const told = events.filter((event) => event.type === "explained");
  return { ...outcome, told };
}

const causes = (explained: BuildExplanation | undefined) =>
  explained?.steps.map(({ name, causes: all }) => [name, ...all.map(({ kind }) => kind)]);
const memory = () => join(fake.builder.dir, "buildx", "slipway", "explained");
const unknown = { steps: [], unknown: "no earlier build of this on this builder is known" };

describe("why steps ran again", () => {
  it("is found out from what the last build of the same was made of", async () => {
    const first = await attempt();
    expect(first.explained).toEqual(unknown);
    expect(first.told).toEqual([{ type: "explained", ...unknown }]);
    await writeFile(join(context, "src", "a"), "2");
    const { explained } = await attempt();
    expect(causes(explained)).toEqual([
      ["[1/2] COPY src /s", "file"],
      ["[2/2] RUN make", "step"],
    ]);
    expect(explained?.earlier).toEqual(expect.any(String));
    // Nothing has changed since, and nothing ran.
    fake.script.status = steps(...cached);
    expect((await attempt()).explained).toMatchObject({ steps: [] });
  });

  it("is told of arguments by name, and of what is not to be cached", async () => {
    await attempt({ buildArgs: { V: "1" } });
    fake.script.status = steps(...cached.slice(0, 2), "![2/2] RUN make");
    expect(causes((await attempt({ buildArgs: { V: "s3cr3t" } })).explained)).toEqual([
      ["[2/2] RUN make", "argument"],
    ]);
    expect(causes((await attempt({ noCache: true, buildArgs: { V: "s3cr3t" } })).explained)).toEqual([
      ["[2/2] RUN make", "no-cache"],
    ]);
    const [name = ""] = await readdir(memory());
    expect(await readFile(join(memory(), name), "utf8")).not.toContain("s3cr3t");
    const other = await attempt({ noCacheFilter: ["other"], buildArgs: { V: "s3cr3t" } });
    expect(causes(other.explained)).toEqual([["[2/2] RUN make", "evicted"]]);
  });

  it("does not show secrets that stand in a step's name", async () => {
    const env = { ...fake.builder.env };
    const secrets = { token: "s3cr3t-value" };
    fake.script.status = steps("![2/2] RUN make s3cr3t-value");
    await attempt({ env, secrets });
    const { explained } = await attempt({ env, secrets });
    expect(explained?.steps).toHaveLength(1);
    expect(JSON.stringify(explained)).not.toContain("s3cr3t-value");
  });

  it("is not compared with a build that failed, and told of one that fails", async () => {
    await attempt();
    fake.script.solve = () => Promise.reject(new GrpcError(grpcCodes.unknown, "no"));
    await writeFile(join(context, "src", "a"), "2");
    const failed = await attempt();
    expect(failed.error?.message).toContain("no");
    expect(failed.told).toMatchObject([
      { steps: [{ name: "[1/2] COPY src /s" }, { name: "[2/2] RUN make" }] },
    ]);
    delete fake.script.solve;
    expect(causes((await attempt()).explained)?.[0]).toEqual(["[1/2] COPY src /s", "file"]);
  });

  it.each(["", "{", "null", '{"version":1,"ref":1}', '{"version":2}', "\ufeff[]"])(
    "is not known where what was noted is no note: %j",
    async (text) => {
      await attempt();
      const [name = ""] = await readdir(memory());
      await writeFile(join(memory(), name), text);
      expect((await attempt()).explained).toEqual(unknown);
    },
  );

  it("is known as far as a note tells that another wrote", async () => {
    await attempt();
    const [name = ""] = await readdir(memory());
    const note = {
      version: 1,
      ref: "r",
      steps: cached,
      args: ["x", ["V", 1], 7],
      files: "a\0",
      dockerfile: 1,
    };
    await writeFile(join(memory(), name), JSON.stringify(note));
    expect((await attempt()).explained).toMatchObject({ earlier: "r" });
  });

  it("is found out for each context, target and platform, and where nothing can be noted the build goes on", async () => {
    await attempt();
    expect((await attempt({ target: "x" })).explained).toEqual(unknown);
    expect((await attempt({ platforms: ["linux/amd64"] })).explained).toEqual(unknown);
    await rm(memory(), { recursive: true });
    await writeFile(memory(), "a file");
    expect(await attempt()).toMatchObject({ error: undefined, explained: unknown });
  });

  it("goes by contexts in memory as well", async () => {
    const inMemory = (a: string) => files({ Dockerfile: dockerfile, "src/a": a });
    await attempt({ context: inMemory("1") });
    expect(causes((await attempt({ context: inMemory("2") })).explained)).toEqual([
      ["[1/2] COPY src /s", "file"],
      ["[2/2] RUN make", "step"],
    ]);
  });
});

describe("why steps ran again, where no build before was explained", () => {
  /** Builds once without, which the builder's history then has. */
  async function recorded() {
    await attempt({ explain: false });
    const Ref = fake.solves[0]?.Ref ?? "";
    const record = (given: object) => ({ record: { CompletedAt: time, ...given } });
    fake.script.history = async function* () {
      yield {};
      yield record({ Ref: "another", CompletedAt: { seconds: 9n, nanos: 0 } });
      yield record({ Ref: "failed", error: { message: "no" } });
      yield record({ Ref, FrontendAttrs: { "build-arg:V": "1" } });
    };
    const earlier = steps(...cached);
    const now = steps(...copied);
    fake.script.status = (request) => (request.Ref === Ref ? earlier() : now());
    return Ref;
  }

  it("is found out from the builder's history, as far as that tells", async () => {
    const ref = await recorded();
    const { explained } = await attempt();
    expect(explained?.earlier).toBe(ref);
    expect(explained?.steps.map(({ name, causes: [cause] }) => [name, cause?.kind])).toEqual([
      ["[1/2] COPY src /s", "unknown"],
      ["[2/2] RUN make", "step"],
    ]);
  });

  it.each([
    ["does not keep any", grpcCodes.unimplemented, unknown],
    ["cannot read it", grpcCodes.unknown, unknown],
  ])("is not known of a builder that %s", async (_what, code, expected) => {
    await recorded();
    fake.script.history = async function* () {
      yield {};
      throw new GrpcError(code, "no history");
    };
    expect((await attempt()).explained).toEqual(expected);
  });

  it("is not known where the builder does not tell of the steps", async () => {
    const ref = await recorded();
    const { status } = fake.script;
    fake.script.status = (request, call) => {
      if (request.Ref === ref) throw new GrpcError(grpcCodes.notFound, "no such build");
      return status?.(request, call) ?? steps()();
    };
    expect((await attempt()).explained).toMatchObject({
      steps: [],
      unknown: expect.stringContaining("no such build") as string,
    });
  });

  it("is not waited for when the build is cancelled", async () => {
    await recorded();
    const abort = new AbortController();
    fake.script.history = async function* (_request, call) {
      yield {};
      await cancelled(call);
    };
    fake.script.exports = (_request, call) => {
      abort.abort();
      return cancelled(call);
    };
    const { error, told } = await attempt({ signal: abort.signal });
    expect(error).toMatchObject({ code: "ABORTED" });
    expect(told).toEqual([]);
  });
});
