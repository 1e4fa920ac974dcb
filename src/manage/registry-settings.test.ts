import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import type { RegistrySettings } from "../config/index.js";
import { RegistryError } from "../registry/index.js";
import { isInsecure, withRegistrySettings } from "./registry-settings.js";

const host = "10.1.2.3:5000";
let dir: string;
let engine: FakeEngine;
let env: Record<string, string>;
/** How the registry was to be spoken to, at each attempt. */
let attempts: (RegistrySettings | undefined)[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-registries-"));
  engine = await FakeEngine.start();
  env = { BUILDX_CONFIG: dir, DOCKER_CONFIG: dir, DOCKER_HOST: engine.host };
  attempts = [];
});
afterEach(async () => {
  await engine.close();
  await rm(dir, { recursive: true });
});

/** A registry that is reached in the way that `isReached` takes. */
function ask(isReached: (settings: RegistrySettings | undefined) => boolean, signal?: AbortSignal) {
  return withRegistrySettings(host, { env, signal }, (settings) => {
    const own = settings.get(host);
    attempts.push(own);
    if (isReached(own)) return Promise.resolve("reached");
    return Promise.reject(new RegistryError("REGISTRY_CONNECT", "no TLS"));
  });
}

function insecureNetworks(...InsecureRegistryCIDRs: string[]): void {
  engine.on("GET", "/info", (call) => call.json({ RegistryConfig: { InsecureRegistryCIDRs } }));
}

test("an answer that breaks off is no reason to do without TLS", async () => {
  insecureNetworks("10.0.0.0/8");
  let attempts = 0;
  const asked = withRegistrySettings(host, { env }, () => {
    attempts++;
    return Promise.reject(
      new RegistryError("REGISTRY_PROTOCOL", "the answer broke off", { retryable: true }),
    );
  });
  await expect(asked).rejects.toThrow("the answer broke off");
  expect(attempts).toBe(1);
});

describe("a registry that TLS does not reach", () => {
  test("is asked without it where the engine does so", async () => {
    insecureNetworks("10.0.0.0/8");
    expect(await ask((settings) => settings?.http === true)).toBe("reached");
    const insecure = { mirrors: [], ca: [], keyPairs: [], insecure: true };
    expect(attempts).toEqual([undefined, { ...insecure, http: false }, { ...insecure, http: true }]);
  });

  test("is asked with any certificate first", async () => {
    insecureNetworks("10.0.0.0/8");
    await ask((settings) => settings?.insecure === true);
    expect(attempts).toHaveLength(2);
  });

  test("is not where the engine does not, or there is none", async () => {
    insecureNetworks("127.0.0.0/8");
    await expect(ask(() => false)).rejects.toThrow("no TLS");
    engine.on("GET", "/info", (call) => call.json({}));
    await expect(ask(() => false)).rejects.toThrow("no TLS");
    for (const DOCKER_HOST of ["unix:///nowhere/docker.sock", "ssh://nobody@192.0.2.1", "nonsense://"]) {
      env = { ...env, DOCKER_HOST };
      await expect(ask(() => false)).rejects.toThrow("no TLS");
    }
    expect(attempts.every((settings) => settings === undefined)).toBe(true);
  });

  test("is left to what buildkitd.default.toml says of it", async () => {
    insecureNetworks("10.0.0.0/8");
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "buildkitd.default.toml"), `[registry."${host}"]\ninsecure = true\n`);
    await expect(ask(() => false)).rejects.toThrow("no TLS");
    expect(attempts).toHaveLength(1);
    expect(engine.calls).toHaveLength(0);
  });

  test("is not waited for when the engine is slow and the caller gives up", async () => {
    const stop = new AbortController();
    engine.on("GET", "/info", () => stop.abort(new Error("enough")));
    await expect(ask(() => false, stop.signal)).rejects.toMatchObject({ code: "ABORTED" });
  });
});

test.each([
  ["r.example:5000", { IndexConfigs: { "r.example:5000": { Secure: false } } }, true],
  ["r.example", { IndexConfigs: { "r.example:5000": { Secure: false } } }, false],
  [
    "r.example",
    { IndexConfigs: { "r.example": { Secure: true } }, InsecureRegistryCIDRs: ["0.0.0.0/0"] },
    false,
  ],
  ["toString", { IndexConfigs: {} }, false],
  ["10.1.2.3", { InsecureRegistryCIDRs: ["10.0.0.0/8"] }, true],
  ["10.1.2.3:1", { InsecureRegistryCIDRs: ["nonsense", "1.2.3.4/99", "10.1.2.3/32"] }, true],
  ["11.1.2.3", { InsecureRegistryCIDRs: ["10.0.0.0/8"] }, false],
  ["[fd00::1]:5000", { InsecureRegistryCIDRs: ["::1/128", "fd00::/8"] }, true],
  ["r.example", { InsecureRegistryCIDRs: ["0.0.0.0/0"] }, false],
  ["10.1.2.3", { IndexConfigs: null, InsecureRegistryCIDRs: null }, false],
])("%s in %j: %s", (name, config, expected) => {
  expect(isInsecure(name, config as Parameters<typeof isInsecure>[1])).toBe(expected);
});
