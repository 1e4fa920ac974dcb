import { execFileSync } from "node:child_process";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import type { SlipwayResult } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

/** SEC-16, SEC-17, SEC-18: secrets of every kind are nowhere but where they were put and where they are meant for. */
const { registry } = engineEnv();
const canary = {
  secretInEnvironment: "canary-env-1b9f",
  secretInFile: "canary-file-27ac",
  registryPassword: "canary-password-3cd0",
  attribute: "canary-attribute-4e1d",
  gitPassword: "canary-git-5f2e",
  contextPassword: "canary-context-6a3f",
};
let place: Workplace;
let builder: string;
let context: string;
let env: Record<string, string>;
/** What the commands have printed. */
let printed = "";

beforeAll(async () => {
  place = await Workplace.open("canaries");
  builder = `${place.id}-b`;
  const auth = Buffer.from(`user:${canary.registryPassword}`).toString("base64");
  await writeFile(
    place.path("docker", "config.json"),
    JSON.stringify({ auths: { [registry]: { auth }, "https://index.docker.io/v1/": { auth } } }),
  );
  context = await place.context({
    Dockerfile: `FROM busybox
RUN --mount=type=secret,id=one --mount=type=secret,id=two test -s /run/secrets/one && test -s /run/secrets/two
`,
    "Failing.Dockerfile": `FROM busybox
RUN --mount=type=secret,id=one,env=ONE --mount=type=secret,id=two echo "$ONE $(cat /run/secrets/two)" && exit 7
`,
  });
  await writeFile(place.path("secret"), `${canary.secretInFile}\n`);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: context, stdio: "ignore" });
  git("init");
  git("remote", "add", "origin", `https://user:${canary.gitPassword}@git.example/r.git`);
  git("-c", "user.name=n", "-c", "user.email=e@example", "commit", "--allow-empty", "-m", "first");
  env = { ONE: canary.secretInEnvironment, NODE_DEBUG: "slipway*", BUILDX_METADATA_PROVENANCE: "max" };
});

afterAll(() => place.close());

async function run(...args: string[]): Promise<SlipwayResult> {
  const result = await place.run(["--debug", ...args], { env });
  printed += `$ slipway ${args[0]}\n${result.stdout}${result.stderr}`;
  return result;
}

const secrets = () => ["--secret", "id=one,env=ONE", "--secret", `id=two,src=${place.path("secret")}`];

it("commands that succeed", async () => {
  const image = `${registry}/canaries:${place.id}`;
  const metadata = ["--metadata-file", place.path("metadata.json"), "--iidfile", place.path("iid")];
  const cache = `type=registry,ref=${registry}/canaries-cache:1,secret_access_key=${canary.attribute}`;
  for (const args of [
    ["create", "--name", builder, "--driver-opt", "network=host"],
    ["inspect", "--bootstrap", builder],
    [
      "build",
      "--builder",
      builder,
      ...secrets(),
      ...metadata,
      "-t",
      image,
      "--push",
      "--cache-to",
      cache,
      context,
    ],
    ["build", "--builder", builder, ...secrets(), "--progress", "plain", "--load", "-t", image, context],
    ["ls"],
    ["du", "--builder", builder, "--verbose"],
    ["prune", "--builder", builder, "--force"],
    ["stop", builder],
  ]) {
    const { exitCode, stderr } = await run(...args);
    expect(exitCode, stderr).toBe(0);
  }
  await place.engine.images.remove(image, { force: true });
  expect(await readFile(place.path("metadata.json"), "utf8")).toContain("buildx.build.provenance");
});

it("commands that fail", async () => {
  const s3 = `type=s3,region=r,bucket=b,endpoint_url=http://127.0.0.1:1,access_key_id=${canary.attribute}-id,secret_access_key=${canary.attribute}`;
  for (const args of [
    [
      "build",
      "--builder",
      builder,
      ...secrets(),
      "-f",
      path.join(context, "Failing.Dockerfile"),
      "--quiet",
      context,
    ],
    ["build", "--builder", builder, ...secrets(), "--cache-to", s3, "-o", "type=cacheonly", context],
    ["build", "--builder", builder, "--cache-to", `${s3},type=bogus,mode=bogus`, context],
    ["build", "--builder", builder, "--cache-to", `ref=x,secret_access_key=${canary.attribute}`, context],
    ["build", "--builder", builder, "-o", `type=bogus,password=${canary.attribute}`, context],
    ["build", "--builder", builder, `https://user:${canary.contextPassword}@127.0.0.1:1/r.git`],
    ["build", "--builder", builder, `https://user:${canary.contextPassword}@127.0.0.1:1/context.tar`],
  ]) {
    const { exitCode, stdout, stderr } = await run(...args);
    expect(exitCode, `${args.join(" ")}\n${stdout}${stderr}`).not.toBe(0);
  }
});

it("SEC-16 SEC-18 nothing that was printed holds a secret, but for what the builder sends to be shown", () => {
  const own = printed.split("\n").filter((line) => !/^#\d+ \d+\.\d+ /.test(line));
  for (const [where, secret] of Object.entries(canary))
    expect(
      own.filter((line) => line.includes(secret)),
      where,
    ).toEqual([]);
});

it("SEC-16 SEC-17 no file holds a secret, but for those it was put in", async () => {
  const put = [path.join(context, ".git"), place.path("secret"), place.path("docker", "config.json")];
  const entries = await readdir(place.dir, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || put.some((known) => file.startsWith(known))) continue;
    const text = await readFile(file, "latin1");
    for (const [where, secret] of Object.entries(canary))
      expect(text.includes(secret), `${where} in ${file}`).toBe(false);
  }
});
