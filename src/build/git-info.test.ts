import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gitInfo } from "./git-info.js";

let dir: string;
let repository: string;
beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "slipway-git-")));
  repository = makeRepository("c");
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const me = {
  GIT_AUTHOR_NAME: "x",
  GIT_AUTHOR_EMAIL: "x@x",
  GIT_COMMITTER_NAME: "x",
  GIT_COMMITTER_EMAIL: "x@x",
};
const base = { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };

function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, env: { ...base, ...me }, encoding: "utf8", stdio: "pipe" }).trim();
}

function makeRepository(path: string): string {
  const root = join(dir, path);
  fs.mkdirSync(root, { recursive: true });
  git(root, "init", "-q", ".");
  fs.writeFileSync(join(root, "Dockerfile"), "FROM scratch\n");
  git(root, "add", ".");
  git(root, "commit", "-qm", "x");
  return root;
}

/** A program that leaves a mark when it is run. */
function evil(): string {
  const path = join(dir, "evil");
  fs.writeFileSync(path, `#!/bin/sh\necho "$0 $*" >>${dir}/ran\ncat\nexit 0\n`, { mode: 0o755 });
  return path;
}

function ran(): string {
  return fs.existsSync(join(dir, "ran")) ? fs.readFileSync(join(dir, "ran"), "utf8") : "";
}

/** Makes git look at the contents: the time that the index has of the file is another. */
function touchAll(root: string): void {
  const time = new Date(Date.now() + 5000);
  fs.utimesSync(join(root, "Dockerfile"), time, time);
}

const settings = [
  {},
  { BUILDX_GIT_CHECK_DIRTY: "1" },
  { BUILDX_GIT_LABELS: "full" },
  { BUILDX_GIT_INFO: "1" },
];

async function revision(env: object): Promise<string | undefined> {
  const { attrs } = await gitInfo({
    contextDirectory: repository,
    dockerfilePath: join(repository, "Dockerfile"),
    mounts: new Map(),
    env: { ...base, ...env },
  });
  return attrs["vcs:revision"];
}

const dirty = { BUILDX_GIT_CHECK_DIRTY: "1" };

describe("SEC-14 programs that a context's repository names are not run", () => {
  const keys: Record<string, (program: string) => [key: string, value: string][]> = {
    "core.fsmonitor": (p) => [["core.fsmonitor", p]],
    "git's own monitor": () => [["core.fsmonitor", "true"]],
    "a clean filter": (p) => [["filter.x.clean", p]],
    "a process filter": (p) => [
      ["filter.x.process", p],
      ["filter.x.required", "true"],
    ],
    "a smudge filter": (p) => [["filter.x.smudge", p]],
    pagers: (p) => [
      ["core.pager", p],
      ["pager.status", p],
      ["pager.config", p],
      ["pager.rev-parse", p],
    ],
    aliases: (p) => [
      ["alias.status", `!${p}`],
      ["alias.rev-parse", `!${p}`],
      ["alias.config", `!${p}`],
    ],
    "diff and merge drivers": (p) => [
      ["diff.x.command", p],
      ["diff.x.textconv", p],
      ["diff.external", p],
      ["merge.x.driver", p],
    ],
    "editors, gpg, ssh, askpass": (p) => [
      ["core.editor", p],
      ["sequence.editor", p],
      ["gpg.program", p],
      ["core.sshCommand", p],
      ["core.askPass", p],
      ["core.gitProxy", p],
      ["credential.helper", `!${p}`],
      ["core.alternateRefsCommand", p],
      ["uploadpack.packObjectsHook", p],
    ],
  };
  test.each(Object.keys(keys))("%s", async (name) => {
    fs.writeFileSync(join(repository, ".git/info/attributes"), "* filter=x diff=x merge=x\n");
    for (const [key, value] of keys[name]?.(evil()) ?? []) git(repository, "config", key, value);
    for (const env of settings) {
      touchAll(repository);
      await revision(env);
      expect(ran(), JSON.stringify(env)).toBe("");
    }
  });

  test("by include.path, includeIf and a working tree's own settings", async () => {
    const program = evil();
    fs.writeFileSync(
      join(repository, ".git/more"),
      `[core]\n\tfsmonitor = ${program}\n[filter "a.b"]\n\tclean = ${program}\n`,
    );
    fs.writeFileSync(join(repository, ".git/info/attributes"), "* filter=a.b\n");
    for (const [key, value] of [
      ["include.path", "more"],
      [`includeIf.gitdir:${dir}/.path`, "more"],
    ]) {
      git(repository, "config", key ?? "", value ?? "");
      touchAll(repository);
      await revision(dirty);
      expect(ran()).toBe("");
      git(repository, "config", "--unset", key ?? "");
    }
    git(repository, "config", "extensions.worktreeConfig", "true");
    fs.renameSync(join(repository, ".git/more"), join(repository, ".git/config.worktree"));
    touchAll(repository);
    await revision(dirty);
    expect(ran()).toBe("");
  });

  test("hooks", async () => {
    const hooks = join(repository, ".git/hooks");
    fs.mkdirSync(hooks, { recursive: true });
    const program = evil();
    fs.copyFileSync(program, join(hooks, "post-index-change"));
    for (const env of settings) {
      touchAll(repository);
      await revision(env);
      expect(ran()).toBe("");
    }
    git(repository, "config", "core.hooksPath", hooks);
    touchAll(repository);
    await revision(dirty);
    expect(ran()).toBe("");
  });

  test("a missing object is not fetched by what the settings name", async () => {
    const program = evil();
    git(repository, "config", "core.repositoryformatversion", "1");
    git(repository, "config", "extensions.partialClone", "origin");
    git(repository, "config", "remote.origin.promisor", "true");
    git(repository, "config", "protocol.ext.allow", "always");
    const tree = git(repository, "rev-parse", "HEAD^{tree}");
    fs.rmSync(join(repository, ".git/objects", tree.slice(0, 2), tree.slice(2)));
    for (const url of [`ext::${program} x`, `${dir}/elsewhere`, "far.example:x"]) {
      git(repository, "config", "remote.origin.url", url);
      git(repository, "config", "remote.origin.uploadpack", program);
      git(repository, "config", "core.sshCommand", program);
      expect(await revision(dirty)).toMatch(/^[0-9a-f]{40}-dirty$/);
      expect(ran(), url).toBe("");
    }
  });

  test("a submodule's settings", async () => {
    const sub = makeRepository("c/sub");
    git(repository, "add", "sub");
    git(repository, "commit", "-qm", "sub");
    git(sub, "config", "core.fsmonitor", evil());
    git(sub, "config", "filter.x.clean", evil());
    fs.writeFileSync(join(sub, ".git/info/attributes"), "* filter=x\n");
    touchAll(sub);
    expect(await revision(dirty)).toMatch(/^[0-9a-f]{40}$/);
    expect(ran()).toBe("");
    fs.writeFileSync(join(sub, "Dockerfile"), "FROM busybox\n");
    expect(await revision(dirty)).toMatch(/-dirty$/);
    expect(ran()).toBe("");
  });

  test("git itself, and what it runs, are of the absolute entries of PATH", async () => {
    fs.renameSync(evil(), join(repository, "git"));
    const before = process.cwd();
    process.chdir(repository);
    try {
      expect(await revision({ PATH: `.::${base.PATH}` })).toMatch(/^[0-9a-f]{40}$/);
      const { warning } = await gitInfo({
        contextDirectory: repository,
        dockerfilePath: "Dockerfile",
        mounts: new Map(),
        env: { ...base, PATH: `.:${dir}` },
      });
      expect(warning).toBe(
        "current commit information was not captured by the build: there is no git on PATH",
      );
    } finally {
      process.chdir(before);
    }
    expect(ran()).toBe("");
  });
});

test("BUILDX_GIT_CHECK_DIRTY marks changed, new and ignored files, and what git cannot tell", async () => {
  const commit = git(repository, "rev-parse", "HEAD");
  expect(await revision(dirty)).toBe(commit);
  fs.writeFileSync(join(repository, "new"), "");
  expect(await revision(dirty)).toBe(`${commit}-dirty`);
  expect(await revision({})).toBe(commit);
  fs.writeFileSync(join(repository, ".git/info/exclude"), "new\n");
  expect(await revision(dirty)).toBe(`${commit}-dirty`);
  fs.rmSync(join(repository, "new"));
  expect(await revision(dirty)).toBe(commit);
  fs.writeFileSync(join(repository, ".git/index"), "nonsense");
  expect(await revision(dirty)).toBe(`${commit}-dirty`);
});

test("a filter of the user's own settings is run", async () => {
  fs.writeFileSync(join(dir, "global"), `[filter "x"]\n\tclean = ${evil()}\n`);
  fs.writeFileSync(join(repository, ".git/info/attributes"), "* filter=x\n");
  touchAll(repository);
  await revision({ ...dirty, GIT_CONFIG_GLOBAL: join(dir, "global") });
  expect(ran()).not.toBe("");
});

test("a filter whose name cannot be overridden leaves the commit unvouched for", async () => {
  git(repository, "config", "filter.a=b.clean", evil());
  fs.writeFileSync(join(repository, ".git/info/attributes"), "* filter=a=b\n");
  touchAll(repository);
  expect(await revision(dirty)).toMatch(/-dirty$/);
  expect(ran()).toBe("");
});
