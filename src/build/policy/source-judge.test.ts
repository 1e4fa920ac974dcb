import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type gateway, policysession } from "../../buildkit/index.js";
import { Redactor } from "../../core/index.js";
import { SourceJudge, type SourceJudgeOptions } from "./source-judge.js";
import type { JudgedSource, PolicySource, SourcePolicy } from "./source-policy.js";

const never = new AbortController().signal;
const alpine = "docker-image://docker.io/library/alpine:3";

const request = (
  identifier: string,
  more: Omit<MessageInitShape<typeof gateway.ResolveSourceMetaResponseSchema>, "$typeName" | "$unknown"> = {},
) =>
  create(policysession.CheckPolicyRequestSchema, {
    Source: { ...more, Source: { identifier, attrs: {} } },
    Platform: { OS: "linux", Architecture: "arm64" },
  });

function judgeOf(policies: readonly SourcePolicy[], more: Partial<SourceJudgeOptions> = {}) {
  const told: JudgedSource[] = [];
  const judge = new SourceJudge({
    policies,
    milliseconds: 60_000,
    redactor: new Redactor(),
    tell: (judged) => void told.push(judged),
    isIndex: () => Promise.resolve(true),
    ...more,
  });
  const ask = (...args: Parameters<typeof request>) => judge.decide(request(...args), never);
  return { judge, told, ask };
}

describe("policies", () => {
  it("are asked in order, until one does not allow", async () => {
    const asked: string[] = [];
    const { ask, judge, told } = judgeOf([
      ({ identifier }) => (asked.push(`1 ${identifier}`), "allow"),
      ({ identifier }) =>
        Promise.resolve(identifier === alpine ? { deny: true, reason: "no alpine" } : "allow"),
      () => (asked.push("3"), "deny"),
    ]);
    expect(await ask(alpine)).toEqual({ action: "deny", messages: ["no alpine"] });
    expect(await ask("local://context")).toEqual({ action: "deny", messages: [] });
    expect(asked).toEqual([`1 ${alpine}`, "1 local://context", "3"]);
    const denied = [
      { source: alpine, platform: "linux/arm64", verdict: "deny", reason: "no alpine" },
      { source: "local://context", platform: "linux/arm64", verdict: "deny" },
    ];
    expect(judge.report()).toEqual(denied);
    // The builder asks about each several times.
    await ask(alpine);
    expect(told).toEqual(denied);
  });

  it("see what the source is, without user and password", async () => {
    const seen: PolicySource[] = [];
    const { ask, judge } = judgeOf([(source) => (seen.push(source), "allow")]);
    for (const one of [
      `${alpine}@sha256:${"a".repeat(64)}`,
      "oci-layout://x/y@sha256:" + "b".repeat(64),
      "git://user:pw@a.example/r.git#main:sub",
      "https://user:pw@a.example/x",
      "local://context",
      "docker-image+blob://a/b",
      "docker-image://NOT AN IMAGE",
      "",
    ])
      expect(await ask(one)).toBeUndefined();
    expect(seen).toMatchObject([
      { type: "image", platform: "linux/arm64", repository: "docker.io/library/alpine", tag: "3" },
      { type: "oci-layout", ref: "docker.io/x/y@sha256:" + "b".repeat(64) },
      { type: "git", url: "https://a.example/r.git", ref: "main", subdir: "sub" },
      { type: "http", url: "https://a.example/x", identifier: "https://a.example/x" },
      { type: "local", name: "context" },
      { type: "other", scheme: "docker-image+blob" },
      { type: "other", scheme: "docker-image" },
      { type: "other", scheme: "" },
    ]);
    expect(JSON.stringify([seen, judge.report()])).not.toContain("pw");
  });

  it("see of a repository what is cloned, whatever it is called", async () => {
    const seen: unknown[] = [];
    const { judge } = judgeOf([(source) => (seen.push(source.type === "git" && source.url), "allow")]);
    const Source = {
      identifier: "git://good.example/r.git",
      attrs: { "git.fullurl": "https://u:p@bad.example/r.git" },
    };
    await judge.decide(create(policysession.CheckPolicyRequestSchema, { Source: { Source } }), never);
    expect(seen).toEqual(["https://bad.example/r.git"]);
  });

  it.each<[string, SourcePolicy, string]>([
    [
      "throws",
      () => {
        throw new Error("boom");
      },
      `the policy failed on ${alpine}: boom`,
    ],
    ["rejects with a text", () => Promise.reject("boom"), `${alpine}: boom`],
    ["gives nonsense", () => undefined as never, `the policy failed on ${alpine}: it gave undefined, where`],
  ])("fail by the source's name when one %s", async (_what, policy, message) => {
    const { ask } = judgeOf([policy]);
    await expect(ask(alpine)).rejects.toMatchObject({
      code: "POLICY_FAILED",
      source: alpine,
      message: expect.stringContaining(message) as string,
    });
    await expect(judgeOf([() => "allow", policy]).ask(alpine)).rejects.toThrow("policy 2 of 2 failed on");
  });

  it("fail when one does not answer, which learns that its answer is of no use", async () => {
    let signal: AbortSignal | undefined;
    const policy: SourcePolicy = (source) => {
      ({ signal } = source);
      return new Promise(() => {});
    };
    await expect(judgeOf([policy], { milliseconds: 5 }).ask(alpine)).rejects.toThrow(
      `the policy did not answer within 0.005 s whether ${alpine} may be used`,
    );
    expect(signal?.aborted).toBe(true);
    const slow: SourcePolicy = () => new Promise((resolve) => setImmediate(() => resolve("deny")));
    expect(await judgeOf([slow], { milliseconds: 0 }).ask(alpine)).toMatchObject({ action: "deny" });
    const abort = new AbortController();
    const { judge } = judgeOf([policy]);
    const asking = judge.decide(request(alpine), abort.signal);
    abort.abort();
    await expect(asking).rejects.toMatchObject({ code: "ABORTED" });
    expect(signal?.aborted).toBe(true);
  });

  it("that convert back and forth fail by the source's name", async () => {
    const other = "docker-image://docker.io/library/busybox:1";
    const { ask } = judgeOf([({ identifier }) => ({ convert: identifier === alpine ? other : alpine })]);
    const chain = async () => {
      for (let at = alpine, times = 0; times < 9; times++) {
        const decision = await ask(at);
        expect(decision).toMatchObject({ action: "convert" });
        at = at === alpine ? other : alpine;
      }
    };
    await expect(chain()).rejects.toThrow(`convert ${other} again and again, at last to ${alpine}`);
  });
});

describe("a policy that wants to know more", () => {
  const Image = { Digest: "sha256:1", Config: Buffer.from('{"config":{"User":"app"}}') };

  it("goes on with what the builder finds out", async () => {
    let calls = 0;
    const { ask, judge } = judgeOf([
      async (source) => {
        calls++;
        if (source.type !== "image") return "deny";
        const [first, second] = await Promise.all([source.resolve(), source.resolve()]);
        expect(second).toEqual(first);
        const { attestations } = await source.resolve({ attestations: ["https://x/y"] });
        const [blob] = attestations?.blobs.values() ?? [];
        return { deny: true, reason: `${JSON.stringify(first.config)} ${blob?.mediaType}` };
      },
      () => "allow",
    ]);
    expect(await ask(alpine)).toMatchObject({
      action: "resolve",
      request: { Source: { identifier: alpine }, Platform: { Architecture: "arm64" } },
    });
    expect(judge.report()).toEqual([]);
    expect(await ask(alpine, { Image })).toMatchObject({
      action: "resolve",
      request: { Image: { AttestationChain: true, ResolveAttestations: ["https://x/y"] } },
    });
    const Blobs = { "sha256:2": { descriptor: { mediaType: "text/x" }, data: Buffer.from("x") } };
    expect(await ask(alpine, { Image: { ...Image, AttestationChain: { Root: "sha256:1", Blobs } } })).toEqual(
      {
        action: "deny",
        messages: ['{"config":{"User":"app"}} text/x'],
      },
    );
    expect(calls).toBe(1);
  });

  it("is not given attestations of what is no index, which would end the builder", async () => {
    const found: unknown[] = [];
    const policy: SourcePolicy = async (source) => {
      if (source.type === "image") found.push(await source.resolve({ attestations: true }));
      return "allow";
    };
    const { ask } = judgeOf([policy], { isIndex: () => Promise.resolve(false) });
    const first = await ask(alpine);
    expect(first).toMatchObject({ action: "resolve", request: { Source: { identifier: alpine } } });
    expect(first).not.toMatchObject({ request: { Image: {} } });
    expect(await ask(alpine, { Image })).toBeUndefined();
    expect(found).toEqual([{ digest: "sha256:1", config: { config: { User: "app" } } }]);
    const untold = judgeOf([policy], { isIndex: () => Promise.reject(new Error("cannot tell")) });
    await untold.ask(alpine);
    await expect(untold.ask(alpine, { Image })).rejects.toThrow(`failed on ${alpine}: cannot tell`);
  });

  it("is told apart from others that ask the same at the same time", async () => {
    const { ask } = judgeOf([
      async (source) => {
        if (source.type === "git") await source.resolve({ objects: true });
        if (source.type === "http") await source.resolve();
        return source.type === "git" ? "deny" : "allow";
      },
    ]);
    const git = "git://a.example/r.git";
    const wants = { action: "resolve", request: { Git: { ReturnObject: true } } };
    expect(await Promise.all([ask(git), ask(git), ask("http://a.example/")])).toMatchObject([
      wants,
      wants,
      { action: "resolve" },
    ]);
    const Git = { Checksum: "1", Ref: "refs/heads/main" };
    expect(await ask(git, { Git })).toMatchObject({ action: "deny" });
    expect(await ask("http://a.example/", { HTTP: { Checksum: "sha256:3" } })).toBeUndefined();
    expect(await ask(git, { Git })).toMatchObject({ action: "deny" });
  });

  it("may decide before it is told, and learns of the build's end", async () => {
    let late: Promise<unknown> | undefined;
    let signal: AbortSignal | undefined;
    const { ask, judge } = judgeOf([
      (source) => {
        ({ signal } = source);
        if (source.type === "image") late = source.resolve();
        return "allow";
      },
    ]);
    await ask(alpine);
    judge.close();
    expect(signal?.aborted).toBe(true);
    await expect(late).rejects.toMatchObject({ code: "ABORTED" });
  });
});
