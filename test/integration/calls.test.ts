import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type Client, type ClientOptions, succeed, twoClients } from "../support/two-clients.js";

const env = engineEnv();
const { slipway, buildx } = twoClients(env.buildx ?? "", {});
const builder = "calls";
let work: string;

const clean = `
# base stage of all
FROM busybox AS base
ARG VERSION=1.2
ARG FLAVOUR
RUN --mount=type=secret,id=token,required=true true
RUN --mount=type=ssh --mount=type=cache,target=/c true

# release is what is shipped
FROM base AS release
ARG VERSION
COPY Dockerfile /
`;

const files: Readonly<Record<string, string>> = {
  "clean/Dockerfile": clean,
  "clean/sub/Other.Dockerfile": clean,
  // The second line of the file is found by a rule about casing, the fourth and sixth by others.
  "linted/Dockerfile": "FROM busybox as Base\nMAINTAINER me\nENV a b\n\nFROM base\nCMD echo x\n",
  "linted/One.Dockerfile": "FROM busybox\nMAINTAINER me\n",
  "linted/Skip.Dockerfile": "# check=skip=MaintainerDeprecated\nFROM busybox\nMAINTAINER me\n",
  "linted/Error.Dockerfile": "# check=error=true\nFROM busybox\nMAINTAINER me\n",
  "broken/Dockerfile": "FROM busybox\nMAINTAINER me\nNOPE x\n",
  "broken/Stage.Dockerfile": "FROM busybox AS a\nMAINTAINER me\nCOPY --from=none /x /x\nCOPY --bogus x y\n",
};

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), "slipway-calls-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.join(work, path.dirname(name)), { recursive: true });
    await writeFile(path.join(work, name), content);
  }
  await succeed(slipway, ["create", "--name", builder, "--driver-opt", "network=host", "--bootstrap"]);
});

afterAll(async () => {
  await slipway.run(["rm", "-f", builder]);
  await rm(work, { recursive: true, force: true });
});

/** What a user sees of a call: the answer, the exit code, and the error, without progress. */
async function answer(client: Client, args: readonly string[], options: ClientOptions = {}) {
  const flags = ["build", "--builder", builder, "--progress", "quiet"];
  const { exitCode, stdout, stderr } = await client.run([...flags, ...args], { cwd: work, ...options });
  const error = stderr.slice(Math.max(0, stderr.indexOf("ERROR: ")));
  return { exitCode, stdout: withoutIds(stdout.toString()), error };
}

/** Definitions of sources name the session that they came from. */
function withoutIds(json: string): string {
  return json.replace(/\n( +)"definition": \{[^]*?\n\1\}/g, '\n$1"definition": {}');
}

const cases: Record<string, string[]> = {
  outline: ["--call", "outline", "clean"],
  "outline of a target": ["--call", "outline", "--target", "base", "--build-arg", "VERSION=3", "clean"],
  "outline as JSON": ["--call", "outline,format=json", "clean"],
  targets: ["--call", "targets", "clean"],
  "targets of unnamed stages": ["--call", "targets", "linted"],
  "targets as JSON": ["--call", "targets,format=json", "clean"],
  "the requests there are": ["--call", "subrequests.describe", "clean"],
  "the requests there are, as JSON": ["--call=subrequests.describe,format=json", "clean"],
  "a check without findings": ["--check", "clean"],
  "a check without findings, as JSON": ["--call=check,format=json", "clean"],
  "a check with findings": ["--check", "linted"],
  "a check with findings, as JSON": ["--call", "check,format=json", "linted"],
  "a check with one finding": ["--call", "lint", "-f", "linted/One.Dockerfile", "linted"],
  "a check, its status ignored": ["--call", "check,ignorestatus=true", "linted"],
  "a check with a rule left out": ["--check", "-f", "linted/Skip.Dockerfile", "linted"],
  "a check with errors": ["--check", "-f", "linted/Error.Dockerfile", "linted"],
  "a check of what cannot be parsed": ["--check", "broken"],
  "a check of what cannot be parsed, as JSON": ["--call", "check,format=json", "broken"],
  "a check of what cannot be built": ["--check", "-f", "broken/Stage.Dockerfile", "broken"],
  "a target that is not there": ["--call", "outline", "--target", "none", "clean"],
  "an outline of what cannot be parsed": ["--call", "outline", "broken"],
  "an option without a value": ["--call", "check,format", "clean"],
  "an option that is not known": ["--call", "check,x=y", "clean"],
};

describe.skipIf(!env.buildx)("calls are answered by slipway as by buildx", () => {
  it.each(Object.entries(cases))("%s", async (_name, args) => {
    expect(await answer(slipway, args)).toEqual(await answer(buildx, args));
  });

  it("a check of a Dockerfile on standard input", async () => {
    const args = ["--check", "-f", "-", "linted"];
    const input = files["linted/Dockerfile"] ?? "";
    expect(await answer(slipway, args, { input })).toEqual(await answer(buildx, args, { input }));
  });

  it("the metadata file of a call, and of a build with warnings", async () => {
    for (const args of [["--check"], ["-o", "type=cacheonly"]]) {
      const [ours, theirs] = await Promise.all(
        [slipway, buildx].map(async (client) => {
          const file = path.join(work, `${client.name}.json`);
          const warnings = { BUILDX_METADATA_WARNINGS: "1", BUILDX_METADATA_PROVENANCE: "disabled" };
          const one = ["-f", "linted/One.Dockerfile", "linted"]; // of several the order is not certain
          await answer(client, [...args, "--metadata-file", file, ...one], { env: warnings });
          const metadata = withoutIds(await readFile(file, "utf8")).replace(
            /(build.ref|vertex)(": )"[^"]*"/g,
            '$1$2""',
          );
          // buildx 0.38 also writes the steps that read the Dockerfile, with the id of its session.
          return JSON.parse(metadata, (key, value: unknown) =>
            key === "definition" ? undefined : value,
          ) as unknown;
        }),
      );
      expect(ours).toEqual(theirs);
    }
  });
});

test("a request that nobody knows is told by name", async () => {
  const { exitCode, stdout, error } = await answer(slipway, ["--call", "none", "clean"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(error).toContain("unsupported request frontend.none");
});

test("warnings of a build are listed after it, with --debug in full", async () => {
  const flags = ["build", "--builder", builder, "--progress", "plain", "-o", "type=cacheonly"];
  const block = async (client: Client, ...args: string[]) => {
    const { stderr } = await succeed(client, args, { cwd: work });
    return stderr.slice(stderr.search(/\n [^\n]*warnings? found/));
  };
  expect(await block(slipway, ...flags, "linted")).toContain("5 warnings found (use --debug to expand):");
  const one = [...flags, "-f", "linted/One.Dockerfile", "linted"];
  const text = await block(slipway, ...one);
  expect(text).toContain(" - MaintainerDeprecated: ");
  if (env.buildx) {
    // buildx colours it in a pipe, too, and names docker's flag.
    const theirs = async (...args: string[]) =>
      (await block(buildx, ...args)).replaceAll(/\x1b\[\d+m/g, "").replace("docker --debug", "--debug");
    expect(text).toBe(await theirs(...one));
    expect(await block(slipway, "--debug", ...one)).toBe(await theirs("--debug", ...one));
  }
});
