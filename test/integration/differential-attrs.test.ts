import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuildRecords, openBuildRecords } from "../support/build-records.js";
import { engineEnv } from "../support/engine-env.js";
import { type Client, type ClientOptions, succeed, twoClients } from "../support/two-clients.js";

const env = engineEnv();
const builder = "differential-attrs";
let work: string;
let records: BuildRecords;
const { slipway, buildx } = twoClients(env.buildx ?? "", { FROM_ENV: "value of the environment" });

const dockerfile = `
FROM busybox AS first
ARG A=1
LABEL a=b
COPY one.txt /first
FROM scratch AS second
COPY --from=first /first /second
FROM second
COPY one.txt /third
`;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), "slipway-attrs-"));
  await succeed(slipway, ["create", "--name", builder, "--driver-opt", "network=host", "--bootstrap"]);
  records = await openBuildRecords(builder);
  await records.fresh();
  const write = async (name: string, content: string) => {
    await mkdir(path.dirname(path.join(work, name)), { recursive: true });
    await writeFile(path.join(work, name), content);
  };
  await write("context/Dockerfile", dockerfile);
  await write("context/one.txt", "one");
  await write("context/sub/Other.Dockerfile", dockerfile);
  await write("lower/dockerfile", dockerfile);
  await write("lower/one.txt", "one");
  await write("other/two.txt", "two");
  await write("docker/config.json", JSON.stringify({ proxies: { default: proxies } }));
  await write(
    "docker-host/config.json",
    JSON.stringify({ proxies: { [env.dockerHost]: { httpProxy: "http://h" } } }),
  );
  await write("secret", "s3cret");
  await write("repository/app/Dockerfile", dockerfile);
  await write("repository/app/one.txt", "one");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
      cwd: path.join(work, "repository"),
    });
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "--message=first");
  git("remote", "add", "origin", "https://user:token@example.com/a/b.git");
  execFileSync("tar", ["-C", path.join(work, "context"), "-cf", path.join(work, "context.tar"), "."]);
});

afterAll(async () => {
  await records[Symbol.asyncDispose]();
  await slipway.run(["rm", "-f", builder]);
  await rm(work, { recursive: true, force: true });
});

const proxies = {
  httpProxy: "http://user:pw@proxy:3128",
  httpsProxy: "http://proxy:3129",
  noProxy: "localhost,.example.com",
  ftpProxy: "ftp://proxy",
  allProxy: "socks://proxy",
};

/** A command line, after `build`. The context is `context` if none is given. */
interface Case extends ClientOptions {
  args: string[];
  context?: string;
  /** Nobody serves these contexts: the builds fail, and are remembered all the same. */
  remote?: boolean;
}

const registry = env.registry;

const cases: Record<string, Case> = {
  nothing: { args: [] },
  "another Dockerfile": { args: ["-f", "context/sub/Other.Dockerfile"] },
  "a Dockerfile in lower case": { args: [], context: "lower" },
  "the Dockerfile on standard input": { args: ["-f", "-"], input: dockerfile },
  "a lone Dockerfile on standard input": { args: [], context: "-", input: "FROM busybox\n" },
  "build arguments": {
    args: [
      "--build-arg",
      "A=1=2",
      "--build-arg",
      "FROM_ENV",
      "--build-arg",
      "UNSET",
      "--build-arg",
      "EMPTY=",
    ].concat([...["--build-arg", "A=3", "--build-arg", "HTTP_PROXY=http://mine"]]),
  },
  labels: { args: ["--label", "a=b=c", "--label", "empty", "--label", 'quoted="x, y"', "--label", "a=d"] },
  "a target": { args: ["--target", "second"] },
  "no cache": { args: ["--no-cache"] },
  "no cache for stages": { args: ["--no-cache-filter", "first,second", "--no-cache-filter", "x"] },
  pull: { args: ["--pull"] },
  platforms: {
    args: ["--platform", "linux/amd64,linux/arm64/v8", "--platform", "local"],
    context: "context",
  },
  "odd platforms": { args: ["--platform", "x86_64", "--platform", "aarch64", "--platform", "linux/arm"] },
  "a default platform": { args: [], env: { DOCKER_DEFAULT_PLATFORM: "linux/amd64/v2" } },
  "several platforms by argument": { args: ["--build-arg", "BUILDKIT_MULTI_PLATFORM=1"] },
  "the host's network": { args: ["--network", "host"] },
  "no network": { args: ["--network", "none"] },
  hosts: {
    args: [
      "--add-host",
      "a:1.2.3.4",
      "--add-host",
      "b=::1",
      "--add-host",
      "c:[::2]",
      "--add-host",
      "d=1.1.1.1,e:2.2.2.2",
    ],
  },
  "shared memory": { args: ["--shm-size", "128m"] },
  ulimits: { args: ["--ulimit", "nproc=3", "--ulimit", "nofile=1024:2048", "--ulimit", "nproc=5:6"] },
  "a parent control group": { args: ["--cgroup-parent", "/x"] },
  resources: {
    args: ["--resource", "memory=1g", "--resource", "memory-swap=-1", "--resource", "cpu-shares=512"].concat([
      ...[
        "--resource",
        "cpu-period=100000",
        "--resource",
        "cpu-quota=50000",
        "--resource",
        "cpuset-cpus=0,1",
      ],
      ...["--resource", "cpuset-mems=0", "-m", "2g", "--cpu-shares", "7"],
    ]),
  },
  "resources by their old flags": {
    args: [
      "-m",
      "2g",
      "--memory-swap",
      "3g",
      "-c",
      "7",
      "--cpu-period",
      "1000",
      "--cpu-quota",
      "2000",
    ].concat([...["--cpuset-cpus", "0", "--cpuset-mems", "0"]]),
  },
  "full provenance": { args: ["--provenance", "mode=max,version=v0.2"] },
  "no provenance": { args: ["--provenance=false"] },
  "no default attestations": { args: [], env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" } },
  "attestations by type": {
    args: [
      "--attest",
      'type=provenance,mode=min,"builder-id=x,y",reproducible=true',
      "--attest=type=sbom,disabled=true",
    ],
  },
  "an sbom": { args: ["--sbom=generator=busybox,A=b"] },
  annotations: {
    args: ["-o", "type=oci,dest=oci.tar", "-t", "a/b:c", "-o", "out", "-o", ""].concat([
      ...[
        "--annotation",
        "a=b",
        "--annotation",
        "",
        "--annotation",
        "index[linux/arm64]:x=y",
        "--annotation",
        "manifest:c=d",
        "--annotation",
        "index:e=f",
      ],
      ...[
        "--annotation",
        "manifest[linux/x86_64],index-descriptor:g=h=i",
        "--annotation",
        "manifest-descriptor:j:k=l",
      ],
    ]),
  },
  "a named directory": { args: ["--build-context", "other=other", "--build-context", "context=other"] },
  "named images": {
    args: [
      "--build-context",
      "busybox:latest=docker-image://busybox",
      "--build-context",
      "context=other",
    ].concat([
      ...[
        "--build-context",
        "dockerfile=other",
        "--build-context",
        "docker.io/library/alpine:3=docker-image://x:1",
      ],
    ]),
  },
  "named remotes": {
    args: [
      "--build-context",
      "a=https://127.0.0.1:1/a.git#main:sub",
      "--build-context",
      "b=http://127.0.0.1:1/b.tar",
    ].concat([
      ...[
        "--build-context",
        "c=https://127.0.0.1:1/a.git?branch=main&subdir=x",
        "--build-context",
        "d=git@127.0.0.1:a/b",
      ],
    ]),
  },
  "a git context": { args: [], context: "https://127.0.0.1:1/a/b.git#main:sub", remote: true },
  "a git context with a query": {
    args: ["-f", "x/Dockerfile"],
    context: "https://127.0.0.1:1/a/b.git?tag=v1&subdir=s",
    remote: true,
  },
  "a git context, Dockerfile from here": {
    args: ["-f", "-", "--target", "first"],
    context: "https://127.0.0.1:1/a.git",
    input: dockerfile,
    remote: true,
  },
  "an http context": { args: ["-f", "sub/Dockerfile"], context: "http://127.0.0.1:1/a.tar.gz", remote: true },
  "a cache": {
    args: [
      "--cache-from",
      `${registry}/cache:1`,
      "--cache-from",
      `type=registry,ref=${registry}/cache:2,x=y`,
    ].concat([
      ...[
        "--cache-to",
        `type=registry,ref=${registry}/cache:1,mode=max,ignore-error=true`,
        "--cache-to",
        "type=inline",
      ],
    ]),
  },
  "an inline cache by argument": {
    args: ["--build-arg", "BUILDKIT_INLINE_CACHE=1", "-o", "type=oci,dest=oci.tar"],
  },
  tags: { args: ["-t", "a/b", "-t", "localhost:5000/c:d", "-o", "type=oci,dest=oci.tar"] },
  "several outputs": {
    args: ["-t", "a/b", "-o", "type=oci,dest=oci.tar,compression=zstd,force-compression=true"].concat([
      ...["-o", "type=tar,dest=x.tar,platform-split=true", "-o", "out", "-o", "type=cacheonly"],
      ...["-o", "type=image,oci-mediatypes=true,store=false", "-o", "type=docker,dest=docker.tar"],
    ]),
  },
  "a layout": { args: ["-o", "type=oci,dest=layout,tar=false", "-t", "a/b:c"] },
  "outputs without an artifact": {
    args: ["-o", "type=oci,dest=x"],
    env: { BUILDX_NO_DEFAULT_OCI_ARTIFACT: "1" },
  },
  "a mirrored directory": { args: ["-o", "type=local,dest=mirror,mode=delete"] },
  push: { args: ["--push", "-t", `${registry}/pushed:1`] },
  "push with an output": {
    args: ["--push", "-t", `${registry}/pushed:1`, "-o", "type=image,compression=gzip"],
  },
  "a registry output": { args: ["-o", `type=registry,name=${registry}/pushed:2,registry.insecure=true`] },
  "push by digest": {
    args: ["-o", `type=image,name=${registry}/pushed,push-by-digest=true,name-canonical=true,push=true`],
  },
  load: { args: ["--load", "-t", "differential:1"] },
  "load and an output": { args: ["--load", "-t", "differential:1", "-o", "type=oci,dest=x.tar"] },
  secrets: { args: ["--secret", "id=a,src=secret", "--secret", "id=FROM_ENV"] },
  "empty values": {
    args: [
      "-o",
      "",
      "--cache-from",
      "",
      "--cache-to",
      "",
      "--secret",
      "",
      "--ssh",
      "",
      "--build-context",
      "",
    ],
  },
  entitlements: { args: ["--allow", "network.host"] },
  "a repository": { args: [], context: "repository/app" },
  "a repository with labels": {
    args: ["-f", "repository/app/Dockerfile", "--build-context", "root=repository"],
    context: "repository/app",
    env: { BUILDX_GIT_LABELS: "full", BUILDX_GIT_CHECK_DIRTY: "1" },
  },
  "a repository, not asked": { args: [], context: "repository/app", env: { BUILDX_GIT_INFO: "false" } },
  "another frontend": { args: ["--build-arg", "BUILDKIT_SYNTAX=docker/dockerfile:1 x"] },
  "an epoch": {
    args: ["-o", "type=oci,dest=oci.tar,rewrite-timestamp=true"],
    env: { SOURCE_DATE_EPOCH: "1700000000" },
  },
  "an epoch by argument": {
    args: ["--build-arg", "SOURCE_DATE_EPOCH=5"],
    env: { SOURCE_DATE_EPOCH: "1700000000" },
  },
  "build information": {
    args: ["--build-arg", "BUILDKIT_INLINE_BUILDINFO_ATTRS=1", "-o", "type=oci,dest=x"],
  },
  proxies: { args: ["--build-arg", "https_proxy=mine"], env: { DOCKER_CONFIG: "docker" } },
  "proxies of an engine": { args: [], env: { DOCKER_CONFIG: "docker-host" } },
  quiet: { args: ["-q", "--iidfile", "id"] },
};

/** What the builder remembers of one build, without what is random. */
interface Remembered {
  frontend: string;
  attrs: Record<string, string>;
  exporters: { type: string; attrs: Record<string, string> }[];
  response: Record<string, string>;
  error: string;
}

async function remembered(
  client: Client,
  { args, context = "context", remote, ...options }: Case,
): Promise<Remembered> {
  const cwd = await mkdtemp(path.join(work, "run-"));
  // Contexts are named relative to here, outputs go to a directory of their own.
  for (const name of ["context", "lower", "other", "repository", "secret", "docker", "docker-host"])
    execFileSync("ln", ["-s", path.join(work, name), cwd]);
  // Both look for a policy in remote contexts before they build, and nothing is at these.
  const words = remote ? ["--policy", "disabled=true", ...args] : args;
  const { stderr } = await client.run(["build", "--builder", builder, ...words, context], {
    cwd,
    ...options,
  });
  const [record, ...more] = await records.fresh();
  if (!record || more.length > 0)
    throw new Error(`${client.name}: ${more.length + (record ? 1 : 0)} records of one build\n${stderr}`);
  return {
    frontend: record.Frontend,
    attrs: withoutRandom(record.FrontendAttrs),
    exporters: record.Exporters.map(({ Type, Attrs }) => ({ type: Type, attrs: Attrs })),
    response: withoutDigests(record.ExporterResponse),
    error: record.error?.message ?? "",
  };
}

/** Ids that a client makes up for a build: those of uploads and layouts. */
function withoutRandom(attrs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attrs).map(([key, value]) => [
      key,
      // User and password in a URL: buildx writes xxxxx in their place, slipway leaves them out (SEC-18).
      value.replace(/(buildkit-session\/|oci-layout:\/\/)[a-z0-9]+/, "$1ID").replace("xxxxx:xxxxx@", ""),
    ]),
  );
}

/** Images of one build have their own time of creation; what is equal is which keys there are. */
function withoutDigests(response: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response).map(([key, value]) => [
      key,
      /digest|descriptor|config/.test(key) ? "" : value.replace("xxxxx:xxxxx@", ""),
    ]),
  );
}

describe.skipIf(!env.buildx)("the builder is asked for the same by slipway as by buildx", () => {
  it.each(Object.entries(cases))("%s", async (_name, entry) => {
    const expected = await remembered(buildx, entry);
    const actual = await remembered(slipway, entry);
    expect(actual).toEqual(expected);
  });

  it("an archive on standard input", async () => {
    const input = execFileSync("cat", [path.join(work, "context.tar")]);
    const entry = { args: ["-f", "sub/Other.Dockerfile"], context: "-", input };
    expect(await remembered(slipway, entry)).toEqual(await remembered(buildx, entry));
  });

  it("a layout as context", async () => {
    const layout = path.join(work, "layout");
    await succeed(buildx, [
      "build",
      "--builder",
      builder,
      "-o",
      `type=oci,dest=${layout},tar=false`,
      path.join(work, "context"),
    ]);
    await records.fresh();
    const entry = { args: ["--build-context", `busybox=oci-layout://${layout}`] };
    expect(await remembered(slipway, entry)).toEqual(await remembered(buildx, entry));
  });
});
