import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type OutputRequest, parseAnnotation, planOutputs } from "./outputs.js";
import type { Output } from "./parse/output.js";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-outputs-"));
  await mkdir(join(dir, "sub"));
  await writeFile(join(dir, "file"), "");
});
afterAll(() => rm(dir, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

const plan = (outputs: readonly object[], more: Partial<OutputRequest> = {}) =>
  planOutputs({
    outputs: outputs as Output[],
    push: false,
    load: false,
    tags: [],
    annotations: [],
    allowLocalDelete: false,
    env: {},
    ...more,
  });
const exports = async (outputs: readonly object[], more: Partial<OutputRequest> = {}) =>
  (await plan(outputs, more)).exports;
const push = { push: "true" };

describe("what comes out of a build", () => {
  it("is what is asked for, and what pushing and loading stand for", async () => {
    expect(await plan([])).toEqual({ exports: [], cacheOnly: false });
    expect(await plan([{ type: "cacheonly" }])).toEqual({ exports: [], cacheOnly: true });
    const tags = ["app:1", "app:2"];
    const name = "app:1,app:2";
    const pushed = {
      type: "image",
      attrs: { ...push, unpack: "false", name },
      destination: { kind: "none" },
    };
    const loaded = { type: "docker", attrs: { name }, destination: { kind: "load", context: undefined } };
    expect(await exports([], { push: true, load: true, tags })).toEqual([pushed, loaded]);
    expect(await exports([{ type: "registry" }], { tags })).toEqual([pushed]);
    expect(await exports([{ type: "image" }], { push: true, tags })).toEqual([pushed]);
    expect(
      await exports([{ type: "docker", attrs: { context: "other" } }], { load: true, tags }),
    ).toMatchObject([{ destination: { kind: "load", context: "other" } }]);
  });

  it("goes to files, directories, layouts and streams", async () => {
    const stream = new PassThrough();
    const file = join(dir, "new", "out.tar");
    expect(
      await exports([
        { type: "tar", dest: file },
        { type: "local", dest: join(dir, "sub") },
        { type: "oci", dest: join(dir, "layout"), attrs: { tar: "false" } },
        { type: "docker", dest: stream },
      ]),
    ).toMatchObject([
      { destination: { kind: "file", path: file } },
      { destination: { kind: "directory", path: join(dir, "sub"), mode: "copy" } },
      { destination: { kind: "layout", path: join(dir, "layout") } },
      { destination: { kind: "stream", stream } },
    ]);
  });

  it("goes to standard output once, and not to a terminal", async () => {
    const before = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
    const isTTY = (value: boolean) =>
      Object.defineProperty(process.stdout, "isTTY", { value, configurable: true, writable: true });
    onTestFinished(() => {
      if (before) Object.defineProperty(process.stdout, "isTTY", before);
      else Reflect.deleteProperty(process.stdout, "isTTY");
    });
    isTTY(false);
    expect(await exports([{ type: "tar" }])).toMatchObject([{ destination: { kind: "stream" } }]);
    await expect(exports([{ type: "tar", dest: "-" }, { type: "oci" }])).rejects.toThrow("multiple outputs");
    isTTY(true);
    await expect(exports([{ type: "oci", dest: "" }])).rejects.toThrow("refusing to write to console");
  });

  it.each([
    [{ type: "local" }, "dest is required for local exporter"],
    [{ type: "local", dest: "" }, "dest is required for local exporter"],
    [{ type: "local", dest: "-" }, "dest cannot be stdout for local exporter"],
    [{ type: "local", dest: new PassThrough() }, "dest cannot be stdout for local exporter"],
    [{ type: "oci", attrs: { tar: "false" } }, "dest is required for oci exporter"],
    [{ type: "local", dest: "DIR/file" }, "is a file"],
    [{ type: "tar", dest: "DIR/sub" }, "is a directory"],
    [{ type: "tar", dest: "DIR/file/x" }, "invalid destination file: "],
    [{ type: "local", dest: "DIR/file/x" }, "invalid destination directory: "],
    [{ type: "local", dest: "DIR/a\0b" }, "invalid destination directory: "],
    [{ type: "local", dest: "DIR/sub", attrs: { mode: "mirror" } }, 'invalid local output mode "mirror"'],
    [{ type: "local", dest: "DIR/sub", attrs: { mode: "delete" } }, "requires --allow=buildx.local.delete"],
    [{ type: "local", dest: ".", attrs: { mode: "delete" } }, "requires --allow=buildx.local.delete"],
    [{ type: "image", attrs: { push: "1" } }, "tag is needed when pushing to registry"],
    [{ type: "registry", attrs: { name: "" } }, "tag is needed when pushing to registry"],
  ])("is refused by name where it cannot be: %j", async (output, message) => {
    const { dest } = output as { dest?: unknown };
    const given = typeof dest === "string" ? { ...output, dest: dest.replace("DIR", dir) } : output;
    await expect(exports([given])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message) as string,
    });
  });

  it("is refused before the build for a stream that cannot be written any more", async () => {
    const ended = new PassThrough();
    ended.end();
    const destroyed = new PassThrough();
    destroyed.destroy();
    const broken = new Writable().on("error", () => {});
    broken.destroy(new Error("no room"));
    const locked = new WritableStream();
    locked.getWriter();
    for (const [dest, why] of [
      [ended, "it was ended"],
      [destroyed, "it was destroyed"],
      [broken, "no room"],
      [locked, "locked"],
    ] as const)
      await expect(exports([{ type: "tar", dest }])).rejects.toThrow(
        new RegExp(`^the stream for the output tar cannot be written: .*${why}`, "s"),
      );
    expect(await exports([{ type: "tar", dest: new WritableStream() }])).toHaveLength(1);
  });

  it("is deleted from in the working directory alone, links followed, unless that is allowed", async () => {
    vi.spyOn(process, "cwd").mockReturnValue(dir);
    const output = (dest: string) => [{ type: "local", dest, attrs: { mode: "delete" } }];
    expect(await exports(output(join(dir, "sub")))).toMatchObject([{ destination: { mode: "delete" } }]);
    expect(await exports(output(join(dir, "new", "deep")))).toHaveLength(1);
    await symlink("/", join(dir, "root"));
    await expect(exports(output(join(dir, "root", "srv")))).rejects.toThrow("buildx.local.delete");
    await expect(exports(output(`${dir}/../x`))).rejects.toThrow("buildx.local.delete");
    expect(await exports(output("/srv"), { allowLocalDelete: true })).toHaveLength(1);
  });

  it("is named by tags, each of which is looked at", async () => {
    for (const tag of ["", "Foo:1", "a b", "app:", "ä", "a/../b", `a:${"x".repeat(129)}`])
      await expect(exports([], { tags: [tag] })).rejects.toThrow(`invalid tag ${JSON.stringify(tag)}: `);
    expect(await exports([{ type: "local", dest: join(dir, "sub") }], { tags: ["app"] })).toMatchObject([
      { attrs: {} },
    ]);
  });

  it("has the attributes that are given, of the environment and of build arguments", async () => {
    const env = { BUILDX_NO_DEFAULT_OCI_ARTIFACT: "1" };
    expect(
      await exports([{ type: "image", attrs: { a: "b", c: undefined } }], { env, buildinfoAttrs: "1" }),
    ).toEqual([
      {
        type: "image",
        attrs: { "oci-artifact": "false", a: "b", "buildinfo-attrs": "1" },
        destination: { kind: "none" },
      },
    ]);
    const own = [{ type: "image", attrs: { "oci-artifact": "true" } }];
    expect(await exports(own, { env })).toMatchObject([{ attrs: { "oci-artifact": "true" } }]);
  });
});

describe("annotations", () => {
  it.each([
    ["a=b", { "annotation.a": "b" }],
    ["a=b=c", { "annotation.a": "b=c" }],
    ["=", { "annotation.": "" }],
    ["__proto__=x", { "annotation.__proto__": "x" }],
    ["index:a=b", { "annotation-index.a": "b" }],
    [
      "manifest,index-descriptor:a:c=b",
      { "annotation-manifest.a:c": "b", "annotation-index-descriptor.a:c": "b" },
    ],
    ["manifest[linux/amd64]:a=b", { "annotation-manifest[linux/amd64].a": "b" }],
    ["manifest-descriptor[linux/aarch64]:a=b", { "annotation-manifest-descriptor[linux/arm64].a": "b" }],
    ["index[linux/amd64]:a=b", { "annotation-index.a": "b" }],
  ])("%s", (text, expected) => expect(Object.fromEntries(parseAnnotation(text))).toEqual(expected));

  it.each([
    ["a", 'invalid annotation "a", expected key=value'],
    ["", "expected key=value"],
    ["other:a=b", 'unknown annotation type "other"'],
    ["manifest[]:a=b", "invalid annotation type"],
    ["manifest[a:b]:a=b", "invalid annotation type"],
    ["manifest[a/b/c/d/e]:a=b", "a/b/c/d/e"],
    [":a=b", 'invalid annotation type ""'],
  ])("%j is refused by name", async (text, message) => {
    expect(() => parseAnnotation(text)).toThrow(message);
    // What is empty is no annotation in a list of them.
    const planned = exports([{ type: "image" }], { annotations: [text] });
    if (text === "") expect(await planned).toHaveLength(1);
    else await expect(planned).rejects.toThrow(/^parse annotations: /);
  });

  it("stand beside what an output has, and win", async () => {
    const attrs = { "annotation.a": "old" };
    expect(await exports([{ type: "image", attrs }], { annotations: ["a=new", ""] })).toMatchObject([
      { attrs: { "annotation.a": "new" } },
    ]);
  });
});
