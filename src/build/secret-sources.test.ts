import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Redactor } from "../core/index.js";
import { maxSecretBytes } from "../session/index.js";
import type { SecretInput } from "./parse/secret.js";
import { secretSources } from "./secret-sources.js";

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-secrets-"))));
afterAll(() => rm(dir, { recursive: true }));

const sources = (
  secrets: Record<string, unknown>,
  env: Record<string, string> = {},
  redactor = new Redactor(),
) => secretSources(secrets as Record<string, SecretInput>, env, redactor);

describe("secrets of a build", () => {
  it("come from values, files, the environment and functions", async () => {
    const path = join(dir, "token");
    await writeFile(path, "in a file");
    const redactor = new Redactor();
    const env = { TOKEN: "of-the-environment" };
    const found = await sources(
      {
        a: "a-long-value",
        b: Buffer.from("bytes-of-it"),
        c: { file: path },
        d: { env: "TOKEN" },
        e: undefined,
      },
      env,
      redactor,
    );
    expect(Object.fromEntries(found)).toEqual({
      a: { type: "value", value: Buffer.from("a-long-value") },
      b: { type: "value", value: Buffer.from("bytes-of-it") },
      c: { type: "file", path },
      d: { type: "env", name: "TOKEN", env },
    });
    expect(redactor.clean("a-long-value bytes-of-it of-the-environment")).not.toMatch(
      /long|bytes|environment/,
    );
  });

  it("may have any name, be empty, and be unset", async () => {
    const named = JSON.parse('{ "__proto__": "x", "": "y", "toString": { "env": "NONE" } }') as object;
    const found = await sources(named as Record<string, unknown>);
    expect([...found.keys()].sort()).toEqual(["", "__proto__", "toString"]);
    expect((await sources({ a: "" })).get("a")).toEqual({ type: "value", value: Buffer.alloc(0) });
  });

  it("are refused by name when their file is not there or too large", async () => {
    await expect(sources({ a: { file: join(dir, "none") } })).rejects.toThrow(
      /none.*\(the file of secret a\)$/,
    );
    await expect(sources({ a: { file: "x\0y" } })).rejects.toThrow(/secret a/);
    await expect(sources({ a: { file: "" } })).rejects.toThrow(/secret a/);
    const large = join(dir, "large");
    await writeFile(large, "");
    await truncate(large, maxSecretBytes + 1);
    await expect(sources({ a: { file: large } })).rejects.toThrow(/large of secret a is too large: /);
  });

  it.each([{}, { file: "a", env: "A" }, { file: undefined }])(
    "are refused by name without a source: %j",
    async (given) => {
      await expect(sources({ a: given })).rejects.toThrow(
        "the secret a comes either from a file or from a variable",
      );
    },
  );

  it("of functions are asked for each time, and what is no value is refused by name", async () => {
    let count = 0;
    const never = new AbortController().signal;
    const found = await sources({ a: () => `${++count}`, b: async () => 7, c: () => undefined });
    const read = (id: string) => {
      const source = found.get(id);
      return source?.type === "callback" ? source.read(never) : expect.fail("no callback");
    };
    expect([await read("a"), await read("a")]).toEqual([Buffer.from("1"), Buffer.from("2")]);
    await expect(read("b")).rejects.toThrow(
      "the callback of secret b must give a text or bytes, not the number 7",
    );
    await expect(read("c")).rejects.toThrow(
      "the callback of secret c must give a text or bytes, not undefined",
    );
  });
});
