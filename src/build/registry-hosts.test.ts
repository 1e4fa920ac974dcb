import { describe, expect, it } from "vitest";
import type { Cache } from "./parse/cache.js";
import { registryHosts } from "./registry-hosts.js";

const none = { imports: [], exports: [], attrs: {}, warnings: [] };
const toml = (text: string) => new Map([["buildkitd.toml", Buffer.from(text)]]);
const cache = (attrs: Record<string, string>): Cache => ({ type: "registry", attrs });
const image = (attrs: Record<string, string>) => ({
  type: "image" as const,
  attrs,
  destination: { kind: "none" as const },
});

describe("how token servers may be spoken to", () => {
  it("is as the builder's configuration says", async () => {
    const hosts = await registryHosts(
      { exports: [], caches: none },
      toml('[registry."r:5000"]\nhttp = true\n'),
    );
    expect(hosts.get("r:5000")).toMatchObject({ http: true });
    expect((await registryHosts({ exports: [], caches: none })).size).toBe(0);
  });

  it("is told of a configuration that cannot be read, and the build goes on", async () => {
    const warnings: string[] = [];
    const caches = { ...none, imports: [cache({ ref: "r:5000/c", "registry.insecure": "true" })] };
    const onWarning = (text: string) => void warnings.push(text);
    const hosts = await registryHosts({ exports: [], caches }, toml("[registry"), onWarning);
    expect(warnings).toEqual([
      expect.stringContaining("token servers are asked without the builder's settings: "),
    ]);
    expect([...hosts.keys()]).toEqual(["r:5000"]);
    await registryHosts({ exports: [], caches: none }, toml("[registry"));
  });

  it("is without TLS where an output or a cache says so, for each of its names", async () => {
    const insecure = { "registry.insecure": "true" };
    const exports = [
      image({ name: "a.example/x:1,b.example/y,", ...insecure }),
      image({ name: "c.example/x", "registry.insecure": "false" }),
      image({ name: "d.example/x", "registry.insecure": "maybe" }),
      image({ name: "UPPER//", ...insecure }),
      image(insecure),
    ];
    const caches = { ...none, exports: [cache({ ref: "e.example/c", ...insecure })] };
    const hosts = await registryHosts({ exports, caches }, toml('[registry."a.example"]\nmirrors = ["m"]\n'));
    expect(Object.fromEntries(hosts)).toMatchObject({
      "a.example": { mirrors: [expect.anything()], insecure: true, http: true },
      "b.example": { insecure: true, http: true },
      "e.example": { insecure: true, http: true },
    });
    expect(hosts.size).toBe(3);
  });
});
