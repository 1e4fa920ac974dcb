import { fromBinary } from "@bufbuild/protobuf";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeResult, cancelled } from "../../test/support/fake-result.js";
import { BuildkitClient, pb } from "../buildkit/index.js";
import type { Environment } from "../config/index.js";
import { goMode } from "../fs/index.js";
import { fetchDefinition } from "./fetch-definition.js";
import { FetchedSource } from "./fetched-source.js";
import { gitAuthSecrets, gitHost } from "./git-auth-secrets.js";

let fake: FakeResult;
let client: BuildkitClient;
/** What is fetched, by name; a number is a size alone. */
let there: Map<string, { content: Buffer; size?: number; mode?: number }>;
/** Operations that the builder was asked for. */
let ops: pb.Op[];

beforeEach(async () => {
  fake = await FakeResult.open();
  there = new Map();
  ops = [];
  fake.script.solve = (_call, { Definition }) => {
    for (const data of Definition?.def ?? []) ops.push(fromBinary(pb.OpSchema, data));
    return { result: { result: { case: "ref", value: { id: "r" } } } };
  };
  fake.script.readDir = () => ({ entries: [...there.keys()].map((name) => ({ path: Buffer.from(name) })) });
  fake.script.statFile = ({ Path }) => {
    const { content = Buffer.alloc(0), size = content.length, mode = 0o644 } = there.get(Path) ?? {};
    return { stat: { path: Buffer.from(Path), size: BigInt(size), mode } };
  };
  fake.script.readFile = (request) => {
    const { FilePath, Range } = request as pb_ReadFile;
    const { content = Buffer.alloc(0) } = there.get(FilePath) ?? {};
    const at = Number(Range?.Offset ?? 0n);
    return { Data: content.subarray(at, at + Number(Range?.Length ?? 0n)) };
  };
  client = await BuildkitClient.connect(fake.builder.daemon.dial);
});
afterEach(async () => {
  await client.close();
  await fake[Symbol.asyncDispose]();
});

interface pb_ReadFile {
  FilePath: string;
  Range?: { Offset: bigint; Length: bigint };
}

const git = "https://example.com/app.git#main";
const web = "https://me:s3cr3t@example.com/app.tar.gz";

const fetch = (url: string, given: { env?: Environment; names?: string[]; signal?: AbortSignal } = {}) =>
  fetchDefinition(url, {
    client,
    env: {},
    names: [],
    defaultNames: ["compose.yaml", "docker-bake.hcl"],
    limit: 1000,
    ...given,
  }).catch((error: Error) => `${error.name}: ${error.message}`);

const attrsOf = () => ops.flatMap(({ op }) => (op.case === "source" ? [op.value.attrs] : []));

describe("a definition that the builder fetches", () => {
  it("is every default file that there is, in their order", async () => {
    there
      .set("docker-bake.hcl", { content: Buffer.from("b") })
      .set("compose.yaml", { content: Buffer.from("a") });
    expect(await fetch(git)).toMatchObject({
      files: [{ name: "compose.yaml" }, { name: "docker-bake.hcl" }],
    });
    there.clear();
    expect(await fetch(git)).toMatchObject({ files: [] });
  });

  it("is read up to a limit, whatever its size is said to be", async () => {
    there.set("a", { content: Buffer.alloc(1000, "#"), size: 5 });
    expect(await fetch(git, { names: ["a"] })).toMatchObject({
      files: [{ content: Buffer.alloc(1000, "#") }],
    });
    there.set("a", { content: Buffer.alloc(1001), size: 5 });
    expect(await fetch(git, { names: ["a"] })).toContain("a is too large: at most 1000 bytes are possible");
    there.set("context", { content: Buffer.alloc((2 << 20) + 1, "#"), size: 5 });
    expect(await fetch(web)).toContain("bigger than maximum allowed size (2MB)");
  });

  it.each([goMode.dir, goMode.fifo, goMode.device, goMode.socket])("is no %o", async (mode) => {
    there.set("a", { content: Buffer.from("a"), mode });
    expect(await fetch(git, { names: ["a"] })).toContain("a is not a regular file");
    there.set("a", { content: Buffer.from("a"), mode: goMode.symlink });
    expect(await fetch(git, { names: ["a"] })).toMatchObject({ files: [{ name: "a" }] });
  });

  it("may be in an archive, which is not unpacked when it is very large", async () => {
    const content = Buffer.from("1f8b0800", "hex");
    there.set("context", { content }).set("docker-bake.hcl", { content: Buffer.from("b") });
    const fetched = await fetch(web);
    expect(fetched).toMatchObject({ files: [{ name: "docker-bake.hcl" }], source: { url: "" } });
    there.set("context", { content, size: 2 ** 30 + 1 });
    const told = await fetch(web);
    expect(told).toContain(
      "the archive https://example.com/app.tar.gz is bigger than maximum allowed size (1GB)",
    );
  });

  it("comes with what the environment says of git", async () => {
    await fetch(git, { env: { BUILDX_BAKE_GIT_ADVICE: "1" } });
    expect(attrsOf()).toEqual([expect.objectContaining({ "git.advice": "true" })]);
    ops = [];
    await fetch(git, { env: { BUILDX_BAKE_GIT_ADVICE: "no" } });
    expect(attrsOf()).toEqual([expect.not.objectContaining({ "git.advice": "true" })]);
    const missing = path.join(await mkdtemp(path.join(tmpdir(), "slipway-key-")), "id");
    expect(await fetch(git, { env: { BUILDX_BAKE_GIT_SSH: missing } })).toContain(missing);
    await rm(path.dirname(missing), { recursive: true });
    // Where it goes without, an agent that is not there is no matter.
    expect(await fetch(git, { env: {} })).toMatchObject({ files: [] });
    expect(await fetch("git@example.com:app.git")).toContain("SSH_AUTH_SOCK");
  });

  it("is not waited for when that is cancelled", async () => {
    const abort = new AbortController();
    fake.script.solve = async (call) => {
      abort.abort(new Error("enough"));
      await cancelled(call);
      return {};
    };
    expect(await fetch(git, { signal: abort.signal })).toMatch(/^AbortError/);
  });
});

describe("directories of what was fetched", () => {
  it.each([
    ["https://example.com/a.git", "app", "https://example.com/a.git#:app"],
    ["https://example.com/a.git", ".", "https://example.com/a.git"],
    ["https://example.com/a.git#v1:sub", "app/x", "https://example.com/a.git#v1:sub/app/x"],
    [
      "https://example.com/a.git?subdir=sub&ref=v1",
      "app",
      "https://example.com/a.git?ref=v1&subdir=sub%2Fapp",
    ],
    ["https://example.com/a.git?ref=v1", "app", "https://example.com/a.git?ref=v1#:app"],
    ["git@example.com:a.git#v1", "app", "git@example.com:a.git#v1:app"],
    ["", "app", ""],
  ])("of %s: %s is %s", (url, directory, expected) => {
    expect(new FetchedSource(url, []).urlOf(directory)).toBe(expected);
  });
});

describe("secrets for git", () => {
  it("are for the host of the address, by the variables' names in any case", () => {
    const env = { buildx_Bake_git_AUTH_token: "a", BUILDX_BAKE_GIT_AUTH_HEADER: "b" };
    expect(gitAuthSecrets("https://me@example.com:8443/a.git", env)).toEqual({
      "GIT_AUTH_TOKEN.example.com:8443": { env: "buildx_Bake_git_AUTH_token" },
      "GIT_AUTH_HEADER.example.com:8443": { env: "BUILDX_BAKE_GIT_AUTH_HEADER" },
    });
    expect(gitAuthSecrets("./here", env)).toEqual({});
    expect(gitAuthSecrets("https://example.com/a.git", { BUILDX_BAKE_GIT_AUTH_TOKEN: undefined })).toEqual(
      {},
    );
    expect(gitHost("git@example.com:a.git")).toBe("example.com");
    expect(gitHost("ssh://git@example.com:22/a.git")).toBe("example.com:22");
  });
});
