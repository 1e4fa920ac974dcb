import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dir as directory, files, git, tar } from "./contexts.js";
import { resolveInputs } from "./inputs.js";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-named-"));
  await mkdir(join(dir, "sub"));
  await writeFile(join(dir, "file"), "");
});
afterAll(() => rm(dir, { recursive: true }));

const resolve = (buildContexts: Record<string, unknown>) =>
  resolveInputs(
    {
      context: files({ Dockerfile: "FROM scratch\n" }),
      buildContexts: buildContexts as Record<string, string>,
    },
    "node",
  );
async function attrs(buildContexts: Record<string, unknown>) {
  const { attrs: all } = await resolve(buildContexts);
  return Object.fromEntries(Object.entries(all).filter(([key]) => /^(context|sharedkey|frontend)/.test(key)));
}
const caps = { "frontend.caps": "moby.buildkit.frontend.contexts+forward" };

describe("named contexts", () => {
  it("are images, targets, URLs, directories and files", async () => {
    const sub = join(dir, "sub");
    expect(
      await attrs({
        image: "docker-image://alpine:1",
        target: "target:base",
        url: "https://example.com/a.tar",
        text: sub,
        object: directory(sub),
        memory: files({ a: "b" }),
        none: undefined,
      }),
    ).toEqual({
      ...caps,
      "context:image": "docker-image://alpine:1",
      "context:target": "target:base",
      "context:url": "https://example.com/a.tar",
      "context:text": "local:text",
      "sharedkey:localdir:text": "sub:node",
      "context:object": "local:object",
      "sharedkey:localdir:object": "sub:node",
      "context:memory": "local:memory",
    });
  });

  it("may be called as the mounts that every build has, and as properties of objects", async () => {
    const inputs = await resolve({
      context: files({ a: "" }),
      dockerfile: join(dir, "sub"),
      constructor: "docker-image://x",
    });
    expect(inputs.attrs).toMatchObject({
      "context:context": "local:_context",
      "context:dockerfile": "local:_dockerfile",
      "context:constructor": "docker-image://x",
    });
    expect([...inputs.locals.keys()].sort()).toEqual(["_context", "_dockerfile", "context", "dockerfile"]);
    const named = JSON.parse('{ "__proto__": "docker-image://x" }') as Record<string, unknown>;
    await expect(attrs(named)).rejects.toThrow("invalid context name __proto__");
  });

  it("ask the frontend for what addresses of git need", async () => {
    const url = "https://example.com/a.git?branch=main";
    for (const source of [url, git(url)])
      expect(await attrs({ a: source })).toEqual({
        "context:a": url,
        "frontend.caps":
          "moby.buildkit.frontend.contexts+forward,moby.buildkit.frontend.gitquerystring+forward",
      });
  });

  it("are images of the engine's own store", async () => {
    const { engineContexts, attrs: all } = await resolve({ a: "engine://app:1" });
    expect(Object.fromEntries(engineContexts)).toEqual({ a: "app:1" });
    expect(all["context:a"]).toBeUndefined();
  });

  it.each([
    [{ a: tar(Buffer.alloc(0)) }, "the build context a cannot be a tar archive"],
    [{ a: "/nonexistent-dir" }, 'failed to get build context a: "/nonexistent-dir" is not a directory'],
    [{ a: "" }, 'failed to get build context a: "" is not a directory'],
    [{ a: "engine://UPPER" }, "build context a: "],
    [{ a: "engine://" }, "build context a: "],
    [{ a: "oci-layout:///nonexistent-dir" }, "nonexistent-dir"],
    [{ a: "oci-layout://" }, "invalid OCI layout reference"],
  ])("are refused by name where they cannot be: %#", async (given, message) => {
    await expect(resolve(given)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message) as string,
    });
  });

  it("of a directory that is not there, or is none, are refused when it is given as an object as well", async () => {
    for (const path of [join(dir, "none"), join(dir, "file")])
      await expect(resolve({ a: directory(path) })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: `failed to get build context a: ${JSON.stringify(path)} is not a directory`,
      });
  });
});
