import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../test/support/fake-result.js";
import { BuildkitClient } from "../buildkit/index.js";
import { GrpcError, grpcCodes } from "../http2/index.js";
import { refuseRemotePolicy } from "./remote-policy.js";

let fake: FakeResult;
let client: BuildkitClient;
/** Paths that are there, as the daemon tells them. */
let there: string[];
/** Directories that were looked into. */
let looked: string[];

beforeEach(async () => {
  fake = await FakeResult.open();
  there = [];
  looked = [];
  fake.script.readDir = ({ DirPath }) => {
    looked.push(DirPath);
    return { entries: there.map((path) => ({ path: Buffer.from(path) })) };
  };
  client = await BuildkitClient.connect(fake.builder.daemon.dial);
});
afterEach(async () => {
  await client.close();
  await fake[Symbol.asyncDispose]();
});

const git = "https://me:s3cr3t@example.com/app.git#main";
const look = (path = "Dockerfile.rego", url = git, signal?: AbortSignal) =>
  refuseRemotePolicy({ url, path }, { client, attachables: [], sourcePolicy: undefined, signal }).then(
    () => "built",
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  );

describe("a remote context", () => {
  it.each([git, "https://me:s3cr3t@example.com/app.tar.gz"])(
    "that has a policy is refused, without its password (%#)",
    async (url) => {
      there = ["Dockerfile", "Dockerfile.rego"];
      const told = await look("Dockerfile.rego", url);
      expect(told).toMatch(
        /^INVALID_ARGUMENT: the policy Dockerfile\.rego in the context https:.*example\.com/,
      );
      expect(told).not.toContain("s3cr3t");
      // The daemon is told that nothing comes of it.
      expect(fake.returned).toHaveLength(1);
    },
  );

  it("that has none is built", async () => {
    there = ["Dockerfile", "Dockerfile.regoX", "xDockerfile.rego"];
    expect(await look()).toBe("built");
    there = [];
    expect(await look()).toBe("built");
  });

  it("is looked into directory by directory, and not below one that is not there", async () => {
    there = ["sub"];
    expect(await look("./sub//deep/D.rego")).toBe("built");
    expect(looked).toEqual(["/", "/sub"]);
    looked = [];
    there = ["sub", "D.rego"];
    expect(await look("sub/../D.rego")).toMatch(/^INVALID_ARGUMENT/);
    expect(looked.at(-1)).toBe("/");
    looked = [];
    // Above the root is the root, as for the builder.
    expect(await look("../../D.rego")).toMatch(/^INVALID_ARGUMENT/);
    expect(new Set(looked)).toEqual(new Set(["/"]));
  });

  it("whose names the daemon lies about is compared by what is asked for", async () => {
    there = ["../../Dockerfile.rego"];
    expect(await look()).toMatch(/^INVALID_ARGUMENT/);
    there = ["__proto__", ""];
    expect(await look("__proto__")).toMatch(/^INVALID_ARGUMENT/);
  });

  it.each([
    [
      "cannot be fetched",
      () => void (fake.script.solve = () => refused("authentication failed")),
      /authentication failed/,
    ],
    [
      "cannot be listed",
      () => void (fake.script.readDir = () => refused("no such directory")),
      /no such directory/,
    ],
  ])("that %s is no context without a policy", async (_what, script, message) => {
    script();
    expect(await look()).toMatch(message);
  });

  it("that is several, or nothing, is looked into as what it is", async () => {
    fake.script.solve = () => Promise.resolve({ result: { result: { case: undefined } } });
    fake.script.readDir = () => refused("no such reference");
    expect(await look()).toMatch(/no such reference/);
  });

  it("that takes for ever is given up with the signal", async () => {
    for (const phase of ["solve", "readDir"] as const) {
      const stop = new AbortController();
      const hang = (call: Parameters<typeof cancelled>[0]) => {
        setTimeout(() => stop.abort(new Error("enough")), 5);
        return cancelled(call);
      };
      if (phase === "solve") fake.script.solve = hang;
      else fake.script = { readDir: (_request, call) => hang(call) };
      expect(await look("Dockerfile.rego", git, stop.signal)).toMatch(/^ABORTED/);
    }
  });
});

function refused(message: string): Promise<never> {
  return Promise.reject(new GrpcError(grpcCodes.unknown, message));
}
