import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Builder, type SourcePolicy, build, connect, files, isSlipwayError } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { gitServer, makeRepository } from "../support/git-server.js";
import type { HttpTestServer } from "../support/http-server.js";
import { type Client, type ClientResult, twoClients } from "../support/two-clients.js";
import { Workplace } from "../support/workplace.js";

/** `npm run test:versions`: what people do, on older daemons, by slipway and by buildx. */
const versions = (process.env["TESTBED_BUILDKITS"] ?? "").split(" ").filter(Boolean);
const { registry, buildx } = engineEnv();

/** One command line on a context that has a Dockerfile. */
interface Case {
  args: readonly string[];
  /** A context other than `ctx`, or none, where `args` has all. */
  context?: string | false;
  input?: () => Uint8Array;
  env?: Readonly<Record<string, string>>;
  /** The release since which slipway does it; before it slipway refuses, whatever buildx does. */
  since?: number;
}

const cases: Readonly<Record<string, Case>> = {
  "a directory as result": { args: ["-o", "out"] },
  "several outputs": { args: ["-o", "out", "-o", "type=oci,dest=oci.tar"] },
  "an archive of docker's form": { args: ["-t", "a:1", "-o", "type=docker,dest=docker.tar"] },
  "a layout": { args: ["-o", "type=oci,dest=layout,tar=false"] },
  "a directory of the result": { args: ["-o", "type=local,dest=part,src=/sub"], since: 34 },
  "loading into the engine": { args: ["--load", "-t", "versions-test:1"] },
  pushing: { args: ["--push", "-t", `${registry}/versions:1`, "--provenance=false"] },
  "provenance of all": {
    args: ["--push", "-t", `${registry}/versions:2`, "--provenance", "mode=max"],
  },
  annotations: {
    args: [
      "--push",
      "-t",
      `${registry}/versions:3`,
      "--annotation",
      "manifest:a=b",
      "--label",
      "c=d",
      "--provenance=false",
    ],
  },
  "two platforms": {
    args: [
      "--platform",
      "linux/amd64,linux/arm64",
      "-f",
      "ctx/copy.Dockerfile",
      "-o",
      "type=oci,dest=two.tar",
      "--provenance=false",
    ],
  },
  "a local cache": { args: ["--cache-to", "type=local,dest=cache,mode=max", "-o", "type=cacheonly"] },
  "what came of it": { args: ["--cache-from", "type=local,src=cache", "--no-cache", "-o", "type=cacheonly"] },
  "a cache in a registry": {
    args: ["--cache-to", `type=registry,ref=${registry}/versions:cache,mode=max`, "-o", "type=cacheonly"],
  },
  "an archive on standard input": {
    args: ["-o", "type=cacheonly", "-"],
    context: false,
    input: () => archive,
  },
  "gzip on standard input": {
    args: ["-o", "type=cacheonly", "-"],
    context: false,
    input: () => gzipSync(archive),
  },
  "a Dockerfile on standard input": {
    args: ["-o", "type=cacheonly", "-f", "-"],
    input: () => Buffer.from("FROM scratch\nCOPY one /\n"),
  },
  "a directory with another name": { args: ["-o", "type=cacheonly"], context: "größe" },
  "a git repository": { args: ["-o", "type=cacheonly"], context: "GIT#main:sub" },
  "a git query": { args: ["-o", "type=cacheonly"], context: "GIT?branch=main&subdir=sub" },
  "a git query as the frontend's input": {
    args: ["--build-context", "again=GIT?subdir=sub", "-o", "type=cacheonly"],
    context: "GIT?branch=main&subdir=sub",
    env: { BUILDX_SEND_GIT_QUERY_AS_INPUT: "1" },
  },
  "a named context": {
    args: ["--build-context", "busybox=docker-image://alpine", "-o", "type=cacheonly", "--no-cache"],
  },
  "a named directory": { args: ["--build-context", "other=größe", "-o", "type=cacheonly"] },
  "secrets, arguments, hosts": {
    args: [
      ...["-f", "ctx/secret.Dockerfile", "--secret", "id=env,env=SECRET", "--secret", "id=file,src=ctx/one"],
      ...["--build-arg", "A=b", "--add-host", "some:10.0.0.1", "--ulimit", "nofile=100", "-o", "out2"],
    ],
    env: { SECRET: "hidden" },
  },
  "a failing step": { args: ["-f", "ctx/fail.Dockerfile", "-o", "type=cacheonly"] },
  "a Dockerfile with an error": { args: ["-f", "ctx/bad.Dockerfile", "-o", "type=cacheonly"] },
  "host networking": { args: ["--network", "host", "--allow", "network.host", "-o", "type=cacheonly"] },
  "a stage without cache": {
    args: ["--target", "base", "--no-cache-filter", "base", "-o", "type=cacheonly"],
  },
  "a check": { args: ["--check"] },
  "an outline": { args: ["--call", "outline,format=json"] },
  "the targets": { args: ["--call", "targets,format=json"] },
};

const dockerfile = `FROM busybox AS base
RUN echo made >/made
FROM scratch
COPY --from=base /made /
COPY one /sub/
`;
const context: Readonly<Record<string, string>> = {
  Dockerfile: dockerfile,
  one: "1",
  "copy.Dockerfile": "FROM scratch\nCOPY one /\n",
  "fail.Dockerfile": "FROM busybox\nRUN echo said && exit 7\n",
  "bad.Dockerfile": "FROM busybox\nBOGUS x\n",
  "secret.Dockerfile":
    "FROM busybox AS s\nARG A\nRUN --mount=type=secret,id=env --mount=type=secret,id=file " +
    "cat /run/secrets/env /run/secrets/file >/out; echo $A >>/out; grep some /etc/hosts; ulimit -n >>/out\n" +
    "FROM scratch\nCOPY --from=s /out /\n",
};

let place: Workplace;
let archive: Buffer;
let repositories: HttpTestServer;
let clients: ReturnType<typeof twoClients>;

beforeAll(async () => {
  place = await Workplace.open("versions");
  const { DOCKER_CONFIG = "", DOCKER_HOST = "", HOME = "", BUILDX_CONFIG = "" } = place.env;
  clients = twoClients(buildx ?? "", { DOCKER_CONFIG, DOCKER_HOST, HOME, BUILDX_CONFIG });
  for (const name of ["ctx", "größe"]) await write(place.path(name), context);
  archive = execFileSync("tar", ["-C", place.path("ctx"), "-cf", "-", "."]);
  const repository = makeRepository(place.path("git/app.git"));
  repository.commit({ "sub/Dockerfile": "FROM scratch\nCOPY one /\n", "sub/one": "1" }, "first");
  repositories = await gitServer(place.path("git"));
});

afterAll(async () => {
  await repositories?.close();
  await place?.close();
});

test("there are versions to test", () => {
  expect(versions.length, "testbed/with --buildkit VERSION names them").toBeGreaterThan(0);
});

describe.each(versions)("BuildKit %s", (version) => {
  const minor = Number(version.split(".")[1]);
  let name: string;

  beforeAll(async () => {
    const options = `image=moby/buildkit:${version},network=host`;
    name = await place.builder(version.replaceAll(".", "-"), "--driver-opt", options, "--bootstrap");
  });
  afterAll(async () => {
    await place.succeed(["rm", name]);
  });

  test("is the one that runs", async () => {
    expect((await place.succeed(["inspect", name])).stdout).toMatch(
      new RegExp(`BuildKit version: +${version.replaceAll(".", "\\.")}\n`),
    );
  });

  test.each(Object.entries(cases))("%s", async (_name, one) => {
    const theirs = await outcome(clients.buildx, name, one);
    const ours = await outcome(clients.slipway, name, one);
    if (one.since !== undefined && minor < one.since) {
      expect(ours.exitCode).toBe(1);
      expect(ours.error).toContain(`v0.${one.since}+`);
    } else expect(ours).toEqual(theirs);
  });

  test.each([
    ["history", "ls", "--format", "{{.Status}} {{.NumCompletedSteps}}"],
    ["du", "--format", "{{.Size}}"],
  ])("%s %s lists the same", async (...args) => {
    const [ours, theirs] = await Promise.all(
      [clients.slipway, clients.buildx].map((client) => client.run([...args, "--builder", name])),
    );
    expect(ours?.exitCode).toBe(theirs?.exitCode);
    expect(sorted(ours)).toEqual(sorted(theirs));
  });

  test("the library: a context from memory, events, a failure with its place", async () => {
    const builder = await Builder.open({ name, env: place.env });
    await using connection = await connect({ builder, env: place.env });
    const seen = new Set<string>();
    const result = await connection.build({
      context: files({ Dockerfile: "FROM busybox\nRUN echo hello\nCOPY a /\n", a: "a" }),
      outputs: [{ type: "image", attrs: { name: "versions:lib" } }],
      env: place.env,
      onEvent: (event) => seen.add(event.type),
    });
    expect(result.digest).toMatch(/^sha256:/);
    expect(seen).toContain("status");
    const failing = files({ Dockerfile: "FROM busybox\nRUN echo oops && false\n" });
    const error: unknown = await connection
      .build({ context: failing, outputs: [{ type: "cacheonly" }], env: place.env })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "BUILD_FAILED",
      step: { exitCode: 1 },
      sources: [{ ranges: [{ start: { line: 2 } }] }],
    });
  });

  test("base images from the engine", async () => {
    await place.succeed(["build", "--builder", name, "--load", "-t", "versions-base:1", "ctx"]);
    await write(place.path("on"), { Dockerfile: "FROM versions-base:1\nCOPY one /two\n", one: "2" });
    const named = ["--build-context", "versions-base:1=engine://versions-base:1"];
    const flags = minor < 27 ? named : ["--engine-images"];
    await place.succeed(["build", "--builder", name, ...flags, "-o", "type=cacheonly", "on"]);
  });

  test("policies, or the release that has them", async () => {
    const builder = await Builder.open({ name, env: place.env });
    const attempt = (dockerfile: string, policy: SourcePolicy) =>
      build({
        builder,
        context: files({ Dockerfile: dockerfile }),
        outputs: [{ type: "cacheonly" }],
        env: place.env,
        policy,
      });
    let asked = 0;
    const denied = attempt("FROM busybox\n", (source) => {
      asked++;
      return source.type === "image" ? { deny: true, reason: "not today" } : "allow";
    });
    await expect(denied).rejects.toThrow(minor < 27 ? "needs v0.27 or later" : /action DENY: not today$/);
    if (minor < 27) {
      expect(asked).toBe(0);
      return;
    }
    const found: unknown[] = [];
    const { judged } = await attempt("FROM not-there:1\nRUN true\n", async (source) => {
      if (source.type !== "image") return "allow";
      if (source.tag === "1") return { convert: "docker-image://busybox" };
      // Of what is no index BuildKit cannot tell, and ends.
      found.push((await source.resolve({ attestations: true })).digest);
      return "allow";
    });
    expect(judged?.map(({ verdict }) => verdict)).toContain("convert");
    expect(found[0]).toMatch(/^sha256:/);
  });

  test("pruning leaves nothing", async () => {
    await place.succeed(["prune", "--builder", name, "--all", "--force"]);
    const left = await place.succeed(["du", "--builder", name, "--format", "{{.ID}}"]);
    expect(left.stdout).toBe("");
  });

  // The last one: 0.32.2 never lets go of what a cancelled step holds, for buildx's prune neither.
  test("cancelling", async () => {
    const builder = await Builder.open({ name, env: place.env });
    const signal = AbortSignal.timeout(1500);
    const slow = files({ Dockerfile: "FROM busybox\nRUN sleep 60\n" });
    const stopped = build({
      builder,
      context: slow,
      outputs: [{ type: "cacheonly" }],
      env: place.env,
      signal,
    });
    await expect(stopped).rejects.toSatisfy((thrown: unknown) => isSlipwayError(thrown, "ABORTED"));
  });
});

async function outcome(client: Client, builder: string, one: Case) {
  const { args, context: source = "ctx", input, env = {} } = one;
  const cwd = place.dir;
  for (const old of ["out", "out2", "layout", "part", "metadata.json"])
    await rm(place.path(old), { recursive: true, force: true });
  const flags = ["--builder", builder, "--progress", "plain", "--metadata-file", "metadata.json"];
  const here = (text: string) => text.replace("GIT", `${repositories.origin}/app.git`);
  const last = source === false ? [] : [here(source)];
  const result = await client.run(["build", ...flags, ...args.map(here), ...last], {
    cwd,
    env: { SOURCE_DATE_EPOCH: "1700000000", ...env },
    ...(input && { input: input() }),
  });
  const metadata = await readFile(place.path("metadata.json"), "utf8").catch(() => "{}");
  return {
    exitCode: result.exitCode,
    // buildx says twice what slipway says once.
    error: /^ERROR: .*$/m.exec(result.stderr)?.[0].replaceAll(/(: [^:]+)(?:\1)+$/g, "$1"),
    stdout: args.includes("--call") || args.includes("--check") ? result.stdout.toString() : "",
    // Provenance tells times and the session's names.
    digest: args.includes("--provenance")
      ? ""
      : (JSON.parse(metadata) as Record<string, unknown>)["containerimage.digest"],
  };
}

function sorted(result: ClientResult | undefined): string[] {
  return (result?.stdout.toString() ?? "").split("\n").sort();
}

async function write(dir: string, entries: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const [name, content] of Object.entries(entries)) await writeFile(path.join(dir, name), content);
}
