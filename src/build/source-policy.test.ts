import { toBinary } from "@bufbuild/protobuf";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create } from "@bufbuild/protobuf";
import { sourcepolicy } from "../buildkit/index.js";
import { sourcePolicy } from "./source-policy.js";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-policy-"))));
afterAll(() => rm(dir, { recursive: true }));

async function read(content: string | Uint8Array, signal?: AbortSignal) {
  const path = join(dir, "policy");
  await writeFile(path, content);
  return sourcePolicy({ EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: path }, signal);
}

const rule = { action: "DENY", selector: { identifier: "docker-image://docker.io/library/x:*" } };
const message = create(sourcepolicy.PolicySchema, {
  rules: [{ action: sourcepolicy.PolicyAction.DENY, selector: { identifier: rule.selector.identifier } }],
});

describe("the source policy that the environment names", () => {
  it("is read as JSON, with a byte order mark as well, and as the message itself", async () => {
    expect(await sourcePolicy({})).toBeUndefined();
    expect(await sourcePolicy({ EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: "" })).toBeUndefined();
    const text = JSON.stringify({ rules: [rule] });
    expect(await read(text)).toEqual(message);
    expect(await read(`\ufeff${text}`)).toEqual(message);
    expect(await read(toBinary(sourcepolicy.PolicySchema, message))).toEqual(message);
    expect((await read("{}"))?.rules).toEqual([]);
    expect((await read(""))?.rules).toEqual([]);
  });

  it.each([
    "  ",
    "\n",
    "deny all",
    "[]",
    '{"rules":1}',
    '{"rulez":[]}',
    '{"rules":[{"action":"FORBID"}]}',
    '{"rules":[],',
    "\x08\x01\x50\x01",
    Buffer.from([0x10, 0xff]),
    Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
  ])("is refused by name when it is none, and does not pass as one without rules: %j", async (content) => {
    await expect(read(content)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(`cannot use the source policy ${join(dir, "policy")}: `) as string,
    });
  });

  it("is refused by name when it is not there, or too large", async () => {
    const at = (path: string, signal?: AbortSignal) =>
      sourcePolicy({ EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: path }, signal);
    await expect(at(join(dir, "none"))).rejects.toThrow(/^cannot use the source policy .*none/);
    await expect(at(dir)).rejects.toThrow(/^cannot use the source policy /);
    await expect(read(Buffer.alloc((4 << 20) + 1, " "))).rejects.toThrow(/^cannot use the source policy /);
  });

  it("is not waited for when it is a pipe that nobody writes, and the build is cancelled", async () => {
    const path = join(dir, "pipe");
    execFileSync("mkfifo", [path]);
    const abort = new AbortController();
    const reading = expect(sourcePolicy({ EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: path }, abort.signal)).rejects;
    abort.abort();
    await reading.toMatchObject({ code: "ABORTED" });
  });
});
