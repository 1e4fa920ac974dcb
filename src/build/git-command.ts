import { type ExecFileOptions, execFile } from "node:child_process";
import { devNull } from "node:os";
import type { Environment } from "../config/index.js";
import { findProgram, programEnvironment } from "../fs/index.js";

/** A stuck git (a network file system, a huge working tree) must not hold up a build, in ms. */
const gitMilliseconds = 10_000;

/** Longest answer, in bytes; the list of a million files is shorter. */
const longestAnswer = 128 * 1024 * 1024;

/**
 * Laid over the repository's own settings, which come with the context and are not the user's. What in them makes git run a
 * program, by git-config(1) and githooks(5) of 2.39 to 2.51, for the commands that are used here (SEC-14):
 *
 * - `core.fsmonitor`: `status` runs its value, or git's own daemon. Empty is off in every version.
 * - `core.hooksPath`, `.git/hooks`: `post-index-change`, when `status` writes the index; `GIT_OPTIONAL_LOCKS` keeps it from that, too.
 * - `filter.*.clean`, `.process`, `.smudge`: `status` runs them for files whose time changed. Their names are anybody's choice, so
 *   they are asked for first (`git-changes.ts`).
 * - `include.path`, `includeIf.*.path`, `extensions.worktreeConfig`: more files with all of these; what is laid over wins over them.
 * - `extensions.partialClone`, `remote.*.promisor`: an object that is missing is fetched, by `remote.*.uploadpack`, `remote.*.vcs`,
 *   `core.sshCommand`, `core.gitProxy`, `credential.helper`, `core.askPass` or a URL of `ext::`. No protocol is allowed.
 * - `core.pager`, `pager.*`: not run without a terminal; `--no-pager` says so.
 * - `submodule.*`, a submodule's own settings: `status` runs git in each. Not here: `git-changes.ts` asks them one by one.
 *
 * Not reached by these commands: `alias.*` (never for built-in commands), `diff.*.command` and `.textconv`, `merge.*.driver`,
 * `gpg.*.program`, `core.editor`, `sequence.editor`, `core.alternateRefsCommand`, `uploadpack.packObjectsHook`, `gc.*`, `trailer.*`.
 */
const guards = [
  "--no-pager",
  ...["core.fsmonitor=", `core.hooksPath=${devNull}`, "protocol.allow=never"].flatMap((one) => ["-c", one]),
];

const guardVariables = {
  GIT_OPTIONAL_LOCKS: "0",
  GIT_ALLOW_PROTOCOL: "none",
  GIT_NO_LAZY_FETCH: "1",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C",
};

/** Runs git with fixed arguments and gives what it prints, without the white space at its ends. Rejects when it fails. */
export type Git = (...args: string[]) => Promise<string>;

/** What {@link gitIn} takes besides the directory. */
export interface GitOptions {
  env: Environment;
  signal?: AbortSignal | undefined;
  /** Settings to lay over the repository's, `name=value`. */
  settings?: readonly string[];
}

/**
 * The git of the absolute directories of PATH, in a directory; undefined when there is none. It runs no program that the
 * repository there names (SEC-14).
 */
export async function gitIn(directory: string, options: GitOptions): Promise<Git | undefined> {
  const { env, signal, settings = [] } = options;
  const program = await findProgram("git", env);
  if (program === undefined) return undefined;
  const more = settings.flatMap((setting) => ["-c", setting]);
  return async (...args) => {
    const stdout = await outputOf(program, [...guards, ...more, ...args], {
      cwd: directory,
      timeout: gitMilliseconds,
      maxBuffer: longestAnswer,
      env: { ...programEnvironment(env), ...guardVariables },
      ...(signal && { signal }),
    });
    return stdout.trim();
  };
}

/** What a program prints. Not by `promisify`, which gives something else for a function that stands for `execFile` (scripts/program.mjs). */
function outputOf(program: string, args: readonly string[], options: ExecFileOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { ...options, encoding: "utf8" }, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
  });
}
