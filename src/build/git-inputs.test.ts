import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { pb } from "../buildkit/index.js";
import { withGitInputs } from "./git-inputs.js";
import { resolveInputs } from "./inputs.js";

async function sourceOf(url: string, buildArgs: Record<string, string> = {}) {
  const inputs = withGitInputs(
    await resolveInputs({ context: url, buildContexts: { other: url } }, "n"),
    new Map(Object.entries(buildArgs)),
  );
  const [main, named] = ["context", "git_state_context:other"].map((name) => {
    const { def, metadata } = inputs.graphs?.get(name) ?? { def: [], metadata: {} };
    const op = fromBinary(pb.OpSchema, def[0] ?? new Uint8Array());
    const [info] = Object.values(metadata);
    return { source: op.op.case === "source" ? op.op.value : undefined, info };
  });
  return { main, named };
}

const secrets = { "git.authtokensecret": "GIT_AUTH_TOKEN", "git.authheadersecret": "GIT_AUTH_HEADER" };

test("a git source with what its address asks for, each with the ability that the daemon must have", async () => {
  const query = "branch=b&subdir=s&commit=abc&submodules=0&mtime=commit&keep-git-dir=1&fetch-by-commit";
  const { main } = await sourceOf(`https://u:word@h:1/o/a.git?${query}`);
  expect(main?.source).toMatchObject({
    identifier: "git://h:1/o/a.git#refs/heads/b:s",
    attrs: {
      ...secrets,
      "git.fullurl": "https://u:word@h:1/o/a.git",
      "git.checksum": "abc",
      "git.skipsubmodules": "true",
      "git.mtime": "commit",
      "git.keepgitdir": "true",
      "git.fetchbycommit": "true",
    },
  });
  const names = ["fullurl", "keepgitdir", "checksum", "skipsubmodules", "mtime", "fetchbycommit"];
  expect(Object.keys(main?.info?.caps ?? {}).sort()).toEqual(
    ["source.git", ...names.map((name) => `source.git.${name}`)].sort(),
  );
  expect(main?.info?.description["llb.customname"]).toBe(
    `[internal] load git source https://h:1/o/a.git?${query}`,
  );
});

test("build arguments say more of the main context, and of git", async () => {
  const url = "ssh://git@h/a.git?ref=c";
  const given = { BUILDKIT_CONTEXT_KEEP_GIT_DIR: "true", BUILDKIT_GIT_ADVICE: "1" };
  const { main, named } = await sourceOf(url, given);
  const attrs = { ...secrets, "git.fullurl": "ssh://git@h/a.git", "git.mountsshsock": "default" };
  expect(main?.source?.attrs).toEqual({ ...attrs, "git.keepgitdir": "true", "git.advice": "true" });
  expect(named?.source?.attrs).toEqual({ ...attrs, "git.advice": "true" });
  const off = await sourceOf(url, { BUILDKIT_CONTEXT_KEEP_GIT_DIR: "0", BUILDKIT_GIT_ADVICE: "no" });
  expect(off.main?.source?.attrs).toEqual(attrs);
});
