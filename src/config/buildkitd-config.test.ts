import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildkitdEntitlements, loadBuildkitdConfig, parseBuildkitdToml } from "./buildkitd-config.js";
import { readRegistrySettings } from "./buildkitd-registries.js";

let dir: string;
let toml: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-toml-"));
  toml = join(dir, "buildkitd.toml");
});
afterEach(() => rm(dir, { recursive: true }));

const load = async (content: string) => {
  await writeFile(toml, content);
  return await loadBuildkitdConfig(toml);
};

test("a file without certificates is passed on byte for byte", async () => {
  const text = '# mine\ninsecure-entitlements = ["network.host"]\n[worker.oci]\n  max-parallelism = 4\n';
  const files = await load(text);
  expect([...files.keys()]).toEqual(["buildkitd.toml"]);
  expect(files.get("buildkitd.toml")?.toString()).toBe(text);
  expect(await buildkitdEntitlements(toml, Buffer.from(text))).toEqual(["network.host"]);
});

test("certificates are collected and their paths rewritten, the rest is kept", async () => {
  for (const name of ["my ca.pem", "key.pem", "cert.pem"]) await writeFile(join(dir, name), `<${name}>`);
  const files = await load(`
debug = true
[worker.oci]
  gckeepstorage = 9007199254740993
  ratio = 1.0
[registry."localhost:5000"]
  http = true
  mirrors = ["mirror:1/path"]
  ca = ["${dir}/my ca.pem"]
  [[registry."localhost:5000".keypair]]
    key = "${dir}/key.pem"
    cert = "${dir}/cert.pem"
[registry."docker.io"]
  mirrors = ["m"]
`);
  expect([...files.keys()].sort()).toEqual([
    "buildkitd.toml",
    "certs/localhost_5000/cert.pem",
    "certs/localhost_5000/key.pem",
    "certs/localhost_5000/my ca.pem",
  ]);
  const text = files.get("buildkitd.toml")?.toString() ?? "";
  expect(text).toContain("9007199254740993");
  expect(text).toContain("ratio = 1.0");
  expect(parse(text, { integersAsBigInt: true })).toEqual({
    debug: true,
    worker: { oci: { gckeepstorage: 9007199254740993n, ratio: 1 } },
    registry: {
      "localhost:5000": {
        http: true,
        mirrors: ["mirror:1/path"],
        ca: ["/etc/buildkit/certs/localhost_5000/my ca.pem"],
        keypair: [
          {
            key: "/etc/buildkit/certs/localhost_5000/key.pem",
            cert: "/etc/buildkit/certs/localhost_5000/cert.pem",
          },
        ],
      },
      "docker.io": { mirrors: ["m"] },
    },
  });
  expect((await readRegistrySettings(files)).get("localhost:5000")).toEqual({
    mirrors: ["mirror:1/path"],
    http: true,
    insecure: false,
    ca: ["<my ca.pem>"],
    keyPairs: [{ key: "<key.pem>", cert: "<cert.pem>" }],
  });
  expect((await readRegistrySettings(new Map())).size).toBe(0);
});

test("two CA files of one name both arrive", async () => {
  const other = join(dir, "other");
  await writeFile(join(dir, "ca.pem"), "one");
  await mkdir(other);
  await writeFile(join(other, "ca.pem"), "two");
  const files = await load(`[registry.r]\nca = ["${dir}/ca.pem", "${other}/ca.pem"]`);
  expect(files.get("certs/r/ca.pem")?.toString()).toBe("one");
  expect(files.get("certs/r/1-ca.pem")?.toString()).toBe("two");
});

test("what is missing, too long or malformed is named", async () => {
  await expect(loadBuildkitdConfig(toml)).rejects.toThrow(`buildkit configuration file not found: ${toml}`);
  await expect(load("a = ")).rejects.toThrow(`${toml}: invalid TOML`);
  await expect(load("registry = 1")).rejects.toThrow(`${toml}: registry must be a table`);
  await expect(load('[registry."a:1"]\nca = "x"')).rejects.toThrow(
    'registry."a:1".ca must be a list of strings',
  );
  await expect(load("[registry.r]\nkeypair = [1]")).rejects.toThrow("keypair must be a list of tables");
  await expect(load('[registry.r]\nca = ["/none/ca.pem"]')).rejects.toMatchObject({
    path: "/none/ca.pem",
    message: expect.stringContaining("failed to read CA file: /none/ca.pem"),
  });
  await expect(load(`x = "${"y".repeat(1024 * 1024)}"`)).rejects.toThrow(`${toml}: is longer than`);
  await expect(loadBuildkitdConfig(dir)).rejects.toMatchObject({ code: "CONFIG_UNREADABLE", path: dir });
});

test.each([
  ["worker.oci.gc must be true or false", '[worker.oci]\ngc = "maybe"'],
  ["worker.oci.GC must be true or false", '[worker.oci]\nGC = "maybe"'],
  ["debug must be true or false", "debug = 1"],
  ["worker must be a table", "worker = 1"],
  ["worker.containerd.enabled must be true or false", "[worker.containerd]\nenabled = 0"],
  ["cdi.disabled must be true or false", '[cdi]\ndisabled = "no"'],
  ["worker.oci must be a table", "[worker]\noci = true"],
  ["root must be a string", "root = 5"],
  ["worker.oci.max-parallelism must be an integer", '[worker.oci]\nmax-parallelism = "4"'],
  ["history.maxEntries must be an integer", "[history]\nmaxEntries = 4.5"],
  ["worker.oci.labels must be a table of strings", "[worker.oci.labels]\na = 1"],
  ["worker.oci.platforms must be a list of strings", '[worker.oci]\nplatforms = "linux/amd64"'],
  ["worker.oci.maxUsedSpace must be a number of bytes", '[worker.oci]\nmaxUsedSpace = "much"'],
  ["worker.oci.gcpolicy must be a list of tables", "[worker.oci]\ngcpolicy = [1]"],
  ["worker.oci.gcpolicy must be a list of tables", "[worker.oci.gcpolicy]\nall = true"],
  ["worker.oci.gcpolicy.all must be true or false", "[[worker.oci.gcpolicy]]\nall = 1"],
  [
    "worker.oci.gcpolicy.keepDuration must be a number of seconds",
    '[[worker.oci.gcpolicy]]\nkeepDuration = "long"',
  ],
  ['frontend."gateway.v0".enabled must be true or false', '[frontend."gateway.v0"]\nenabled = "yes"'],
  ["grpc.address must be a list of strings", '[grpc]\naddress = "unix:///x"'],
])("%s, or a daemon would stumble over it", async (problem, text) => {
  await expect(parseBuildkitdToml("b.toml", Buffer.from(text))).rejects.toThrow(`b.toml: ${problem}`);
});

test("what buildkitd takes is taken, and what is not known is left to it", async () => {
  const text = `
debug = true
newOption = 5
insecure-entitlements = []
[worker.oci]
gc = false
reservedSpace = "10%"
maxUsedSpace = 20_000_000_000
minFreeSpace = "1.5gb"
gckeepstorage = ""
max-parallelism = 4
[[worker.oci.gcpolicy]]
keepDuration = "48h"
keepBytes = "512MB"
all = true
[[worker.oci.gcpolicy]]
keepDuration = 3600
[worker.oci.stargzSnapshotter]
anything = [1, { a = 2 }]
[history]
maxAge = 172800
[system]
platformsCacheMaxAge = "1h30m"
`;
  await parseBuildkitdToml("b.toml", Buffer.from(text));
});
