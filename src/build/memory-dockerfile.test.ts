import { describe, expect, test } from "vitest";
import { files } from "./contexts.js";
import type { MemoryFiles } from "./contexts.js";
import { resolveInputs } from "./inputs.js";

const dockerfile = "FROM scratch\n";

/** The Dockerfile's mount: name and content of each file, and the name that the frontend is told. */
async function mounted(entries: MemoryFiles, file?: string) {
  const inputs = await resolveInputs(
    { context: files(entries), ...(file !== undefined && { file }) },
    "node",
  );
  const local = inputs.locals.get("dockerfile");
  if (local?.type !== "memory") throw new Error("no files in memory");
  const names = Object.fromEntries(
    [...local.entries].map(([name, { content }]) => [name, Buffer.from(content as Uint8Array).toString()]),
  );
  return { names, filename: inputs.attrs["filename"] };
}

describe("the Dockerfile of a context in memory", () => {
  test.each<[MemoryFiles, string | undefined, string]>([
    [{ "./Dockerfile": dockerfile }, undefined, "Dockerfile"],
    [{ Dockerfile: dockerfile }, "./Dockerfile", "Dockerfile"],
    [{ Dockerfile: dockerfile }, "sub/../Dockerfile", "Dockerfile"],
    [{ "docker/D": dockerfile }, "./docker//D", "D"],
    [{ "./docker/D": dockerfile }, "docker/D", "D"],
    [{ dockerfile }, undefined, "dockerfile"],
    [{ "sub/dockerfile": dockerfile }, "sub/Dockerfile", "dockerfile"],
    [{ Dockerfile: dockerfile, dockerfile: "other" }, undefined, "Dockerfile"],
    [{ Dockerfile: { symlink: "sub/D" }, "sub/D": dockerfile }, undefined, "Dockerfile"],
    [{ Dockerfile: { symlink: "/a" }, a: { symlink: "../../b" }, b: dockerfile }, undefined, "Dockerfile"],
    [{ linked: { symlink: "real" }, "real/Dockerfile": dockerfile }, "linked/Dockerfile", "Dockerfile"],
    [{ Dockerfilé: dockerfile }, "Dockerfilé", "Dockerfilé"],
    [{ ["__proto__"]: dockerfile }, "__proto__", "__proto__"],
    [{ toString: dockerfile }, "toString", "toString"],
  ])("is found as in a directory: %j, %j", async (entries, file, name) => {
    expect(await mounted(entries, file)).toMatchObject({ names: { [name]: dockerfile }, filename: name });
  });

  test("has its ignore files beside it", async () => {
    const entries = {
      "a/D": dockerfile,
      "a/D.dockerignore": { symlink: "i" },
      "a/i": "x",
      "a/.dockerignore": "y",
      "a/z": "",
    };
    expect((await mounted(entries, "a/D")).names).toEqual({
      D: dockerfile,
      "D.dockerignore": "x",
      ".dockerignore": "y",
    });
  });

  test.each<[MemoryFiles, string | undefined, RegExp]>([
    [{}, undefined, /no file "Dockerfile" in the context$/],
    [{ a: "" }, "toString", /no file "toString"/],
    [{ a: "" }, "__proto__", /no file "__proto__"/],
    [{ Dockerfile: dockerfile }, "../Dockerfile", /no file "..\/Dockerfile"/],
    [{ Dockerfile: { symlink: "none" } }, undefined, /it is a link to "none"$/],
    [{ Dockerfile: { symlink: "Dockerfile" } }, undefined, /it is a link to "Dockerfile"$/],
    [{ "Dockerfile/a": "" }, undefined, /"Dockerfile" is a directory/],
    [{ "Dockerfile/a": "" }, "./", /failed to read dockerfile/],
  ])("that is not there is named: %j, %j", async (entries, file, message) => {
    await expect(mounted(entries, file)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(message) as string,
    });
  });
});
