import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult } from "../../../test/support/fake-result.js";
import { policysession } from "../../buildkit/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import type { BuildOptions } from "../build-options.js";
import { build } from "../build.js";
import { files } from "../contexts.js";
import type { PolicySource } from "./source-policy.js";

let fake: FakeResult;
const caps = (...ids: string[]) => ({ LLBCaps: ids.map((ID) => ({ ID, Enabled: true })) });
beforeEach(async () => {
  fake = await FakeResult.open();
  fake.script.ping = () => caps("source.policy.session");
});
afterEach(() => fake[Symbol.asyncDispose]());

async function attempt(policy: BuildOptions["policy"], more: Partial<BuildOptions> = {}) {
  const messages: string[] = [];
  const outcome = await build({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
    outputs: [{ type: "cacheonly" }],
    ...(policy && { policy }),
    onEvent: (event) => void (event.type === "message" && messages.push(event.text)),
    ...more,
  }).then(
    (result) => ({ result, error: undefined }),
    (error: Error & { code?: string }) => ({ result: undefined, error }),
  );
  return { ...outcome, messages };
}

type Question = MessageInitShape<typeof policysession.CheckPolicyRequestSchema>;
const path = "/moby.buildkit.v1.sourcepolicy.policysession.PolicyVerifier/CheckPolicy";

/** Asks this side about a source, as a daemon does. */
async function ask(question: Question) {
  const session = await fake.builder.daemon.session();
  const request = create(policysession.CheckPolicyRequestSchema, question);
  const { status } = await session.unary(path, toBinary(policysession.CheckPolicyRequestSchema, request));
  return status;
}
const about = (identifier: string): Question => ({ Source: { Source: { identifier } } });

describe("a build with a policy", () => {
  it.each(["v0.12.5", "v0.20.2", "v0.26.3"])(
    "is refused by BuildKit %s before anything is sent to it",
    async (version) => {
      fake.version = version;
      const { error } = await attempt(() => "allow");
      expect(error).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("needs v0.27 or later") as string,
      });
      expect(fake.solves).toEqual([]);
    },
  );

  it("is refused by one that says it has not got the session, before its frontend is asked", async () => {
    fake.version = "v0.0.0+unknown";
    fake.script.ping = () => caps("other");
    let isAsked = false;
    fake.script.solve = () => ((isAsked = true), {});
    expect((await attempt(() => "allow")).error?.message).toContain("needs v0.27 or later");
    expect(isAsked).toBe(false);
  });

  it("names the session that decides; one without is not asked", async () => {
    await attempt(() => "allow");
    const session = await fake.builder.daemon.session();
    expect(fake.solves).toMatchObject([{ SourcePolicySession: expect.stringMatching(/./) as string }]);
    expect(session.methods).toContain(path);
    for (const none of [undefined, []]) await attempt(none);
    expect(fake.solves.slice(1).map(({ SourcePolicySession }) => SourcePolicySession)).toEqual(["", ""]);
  });

  const denying = (source: PolicySource) =>
    source.type === "local" ? ({ deny: true, reason: "no\u001b[31m files" } as const) : "allow";
  const judged = [
    { source: "docker-image://docker.io/library/a:1", verdict: "allow" },
    { source: "local://context", verdict: "deny", reason: "no\u001b[31m files" },
  ];
  const asking = async () => {
    await ask(about("docker-image://docker.io/library/a:1"));
    await ask(about("local://context"));
  };

  it("tells of what was decided in the result", async () => {
    fake.script.solve = async () => (await asking(), {});
    expect((await attempt(denying)).result?.judged).toEqual(judged);
  });

  it("tells of what was decided in the error, and once in the progress", async () => {
    fake.script.solve = async () => {
      await asking();
      await asking();
      throw new GrpcError(grpcCodes.unknown, "not allowed by policy");
    };
    const { error, messages } = await attempt(denying);
    expect(error).toMatchObject({ code: "BUILD_FAILED", judged });
    expect(messages).toHaveLength(1);
  });

  it("that fails ends, also when the daemon would go on", async () => {
    fake.script.solve = async () => {
      await ask(about("https://a.example/x"));
      return {};
    };
    const failing = () => {
      throw new Error("boom");
    };
    const { error } = await attempt(failing);
    expect(error).toMatchObject({ code: "POLICY_FAILED", source: "https://a.example/x" });
  });

  it("holds against a daemon that asks what nobody does", async () => {
    const seen: PolicySource[] = [];
    fake.script.solve = async () => {
      const odd: Question[] = [
        {},
        { Source: {} },
        about(""),
        about("://"),
        about("docker-image://"),
        about("git://"),
        about("__proto__"),
        about(`docker-image://${"a".repeat(100_000)}`),
        about("https://user:p4ss@a.example/\u001b]0;x\u0007"),
        { Source: { Source: { identifier: "local://x", attrs: { __proto__: "y", constructor: "z" } } } },
        // What was found out, although nobody asked for it.
        {
          Source: {
            Source: { identifier: "docker-image://a" },
            Image: { Digest: "x", Config: Buffer.from("{") },
          },
        },
        { Source: { Source: { identifier: "git://a" }, Git: {} } },
        { Platform: {}, Source: { Source: { identifier: "local://y" }, HTTP: { Checksum: "z" } } },
      ];
      for (const question of odd) expect(await ask(question)).toMatchObject({ code: 0 });
      await Promise.all(Array.from({ length: 50 }, (_, at) => ask(about(`local://${at % 5}`))));
      return {};
    };
    const { result, error } = await attempt((source) => (seen.push(source), "allow"));
    expect(error).toBeUndefined();
    expect(seen).toHaveLength(13 + 50);
    expect(JSON.stringify([seen, result?.judged])).not.toContain("p4ss");
    // Each source once.
    expect(result?.judged?.filter(({ source }) => /^local:\/\/\d$/.test(source))).toHaveLength(5);
  });
});
