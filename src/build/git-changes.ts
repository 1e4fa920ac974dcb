import { existsSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "../core/index.js";
import { type Git, type GitOptions, gitIn } from "./git-command.js";

/** Whose settings these are, in git's words: the repository's, not the user's. */
const foreignScopes = new Set(["local", "worktree"]);

/**
 * Whether the working tree in a directory, or that of a submodule in it, differs from its commit, as `git status --porcelain
 * --ignored` says; no program that a repository names is run for it. Rejects when git cannot tell.
 */
export async function hasChanges(root: string, options: GitOptions): Promise<boolean> {
  const git = await gitIn(root, options);
  const filters = git ? await foreignFilters(git) : [];
  const guarded = await gitIn(root, { ...options, settings: withoutFilters(filters) });
  if (!guarded) throw new InvalidArgumentError("there is no git on PATH");
  // Of a submodule git looks at the commit only: in its working tree it would run what the submodule's own settings name.
  if ((await guarded("status", "--porcelain", "--ignored", "--ignore-submodules=dirty")) !== "") return true;
  for (const path of await submodules(guarded)) {
    const directory = join(root, path);
    if (existsSync(join(directory, ".git")) && (await hasChanges(directory, options))) return true;
  }
  return false;
}

/** Names of the filter drivers that the repository's own settings have. */
async function foreignFilters(git: Git): Promise<Set<string>> {
  const keys: string[] = [];
  try {
    const fields = (await git("config", "--list", "--null", "--name-only", "--show-scope")).split("\0");
    for (let at = 0; at + 1 < fields.length; at += 2)
      if (foreignScopes.has(fields[at] ?? "")) keys.push(fields[at + 1] ?? "");
  } catch {
    // Before 2.26 git does not say whose a setting is.
    keys.push(...(await git("config", "--list", "--null", "--name-only")).split("\0"));
  }
  const names = keys.map((key) => /^filter\.(.+)\.[^.]+$/s.exec(key)?.[1]);
  return new Set(names.filter((name) => name !== undefined));
}

function withoutFilters(names: Iterable<string>): string[] {
  return [...names].flatMap((name) => {
    // In `-c name=value` the name ends at the first sign of equality.
    if (name.includes("="))
      throw new InvalidArgumentError(`the repository has a filter with an unusable name, ${name}`);
    const settings = ["clean=", "process=", "smudge=", "required=false"];
    return settings.map((setting) => `filter.${name}.${setting}`);
  });
}

/** Paths of the submodules in the index, below its root. */
async function submodules(git: Git): Promise<string[]> {
  const entries = (await git("ls-files", "--stage", "--full-name", "-z")).split("\0");
  return entries
    .filter((entry) => entry.startsWith("160000 "))
    .map((entry) => entry.slice(entry.indexOf("\t") + 1));
}
