import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled, failedStep } from "../../../test/support/fake-result.js";
import type { BuildError } from "../build-error.js";
import { type BuildCallOptions, buildAndLook } from "../build.js";
import { files } from "../contexts.js";
import type { Look } from "./open-result.js";

let fake: FakeResult;
/** Builds whose results came out. */
let out: string[];

beforeEach(async () => {
  fake = await FakeResult.open();
  out = [];
  fake.script.exports = ({ Ref }) => (out.push(Ref), {});
});
afterEach(() => fake[Symbol.asyncDispose]());

const looking = (look: Look, more: Partial<BuildCallOptions> = {}) =>
  buildAndLook(
    {
      builder: "b",
      env: fake.builder.env,
      context: files({ Dockerfile: "FROM scratch\n" }),
      outputs: [{ type: "image", attrs: { name: "app", push: "true" } }],
      ...more,
    },
    look,
  ).then(
    (result) => ({ result, error: undefined }),
    (error: Error & { code?: string }) => ({ result: undefined, error }),
  );

describe("a build that is looked into before it comes out", () => {
  it("comes out when that is done", async () => {
    fake.script.readDir = () => ({ entries: [{ path: Buffer.from("a") }] });
    const { result } = await looking(async (kept) => {
      expect((await kept.readDir("/")).map(({ name }) => name)).toEqual(["a"]);
      expect(out).toEqual([]);
    });
    expect(result).toMatchObject({ names: [] });
    expect(out).toHaveLength(1);
  });

  it.each<unknown>([new Error("no such command"), "a text"])(
    "does not come out when that fails (%#)",
    async (thrown) => {
      const { error } = await looking(async () => {
        throw thrown;
      });
      expect(error).toBe(thrown);
      expect(out).toEqual([]);
      expect(fake.returned).toMatchObject([{ error: {} }]);
    },
  );

  it("does not come out when it is cancelled meanwhile", async () => {
    const abort = new AbortController();
    const reason = new Error("not wanted");
    const { error } = await looking(
      async (kept) => {
        fake.script.readDir = (_request, call) => {
          abort.abort(reason);
          return cancelled(call);
        };
        await kept.readDir("/");
      },
      { signal: abort.signal },
    );
    expect(error).toMatchObject({ code: expect.stringMatching(/ABORTED|RESULT_CLOSED/) as string });
    expect(out).toEqual([]);
  });

  it("whose daemon is lost meanwhile fails", async () => {
    const { error } = await looking(async (kept) => {
      fake.script.readDir = (_request, call) => {
        void fake.builder.daemon[Symbol.asyncDispose]();
        return cancelled(call);
      };
      await kept.readDir("/");
    });
    expect(error?.code).toMatch(/LOST|RESULT_CLOSED/);
    expect(out).toEqual([]);
  });

  it.each(["keep", "drop"] as const)(
    "whose step fails is not looked into, and that is kept: %s",
    async (onFailure) => {
      const exec = { mounts: [{ dest: "/" }] };
      fake.script.solve = () => Promise.reject(failedStep("process did not complete", ["m0"], { exec }));
      let isLooked = false;
      const { error } = await looking(
        async () => {
          isLooked = true;
        },
        { onFailure },
      );
      expect(isLooked).toBe(false);
      expect(error).toMatchObject({ code: "BUILD_FAILED" });
      const failed = error as BuildError;
      expect(failed.files !== undefined).toBe(onFailure === "keep");
      await failed[Symbol.asyncDispose]();
      expect(out).toEqual([]);
    },
  );

  it("of a call is no build to look into", async () => {
    fake.script.solve = () => ({ result: { metadata: { "result.txt": Buffer.from("fine") } } });
    const { result } = await looking(() => Promise.reject(new Error("never")), {
      call: "check",
      outputs: [],
    });
    expect(result?.call?.text).toBe("fine");
  });
});
