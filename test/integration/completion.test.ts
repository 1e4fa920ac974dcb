import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../support/slipway.js";
import { Workplace } from "../support/workplace.js";

const definition = `
group "all" { targets = ["app", "m"] }
target "app" { description = "What\\tis \\nshipped" }
target "_base" {}
target "m" {
  matrix = { v = ["1", "2"] }
  name   = "m-\${v}"
}
`;

const run = promisify(execFile);

describe("completion", () => {
  let place: Workplace;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    place = await Workplace.open("completion");
    const bin = place.path("bin");
    await mkdir(bin);
    await writeFile(`${bin}/slipway`, `#!/bin/sh\nexec ${process.execPath} ${bundle} "$@"\n`);
    await chmod(`${bin}/slipway`, 0o755);
    env = { ...process.env, ...place.env, PATH: `${bin}:${process.env["PATH"]}` };
    await mkdir(place.path("dir-one"));
    await mkdir(place.path("dir-two"));
    await writeFile(place.path("dir-file"), "");
    await writeFile(place.path("docker-bake.hcl"), definition);
    await writeFile(place.path("other.json"), '{"target": {"other": {}}}');
    await writeFile(place.path("broken.hcl"), "target {");
    execFileSync("mkfifo", [place.path("pipe.hcl")]);
    await place.succeed(["create", "--name", "alpha", "--driver-opt", "network=host"]);
    await place.succeed(["create", "--name", "beta", "--driver-opt", "network=host"]);
  });

  afterAll(() => place.close());

  /** What the shell would offer for a line, the cursor at its end. */
  const shells: Readonly<Record<string, (line: string) => Promise<string[]>>> = {
    async bash(line) {
      // COMP_WORDS as readline splits them: at spaces, and at = and : which are words of their own.
      const script = `
        source <(slipway completion bash)
        compopt() { :; }
        COMP_LINE="$1" COMP_POINT=\${#1}
        COMP_WORDS=($(sed 's/[=:]/ & /g' <<<"$1"))
        [[ "$1" == *[\\ =:] ]] && COMP_WORDS+=("")
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        _slipway_complete
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      return lines((await run("bash", ["-c", script, "bash", line], { env, cwd: place.dir })).stdout);
    },
    async fish(line) {
      const script = `slipway completion fish | source; complete -C "${line}"`;
      const { stdout } = await run("fish", ["--no-config", "-c", script], { env, cwd: place.dir });
      return lines(stdout).map((text) => text.split("\t")[0] ?? "");
    },
    async zsh(line) {
      // In a terminal of zsh's own making; what it lists stands between two marks.
      const script = `
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell 'PROMPT= ; stty columns 200 -echo; autoload -Uz compinit; compinit -u -d "${place.path("zcompdump")}"'
        zpty -w shell 'source <(slipway completion zsh); zstyle ":completion:*" list-prompt ""'
        zpty -w shell 'list() { compadd() { local -a found; builtin compadd -O found "$@"; print -rl -- $found; builtin compadd "$@" }; _main_complete; print -r END }'
        zpty -w shell 'zle -C listing list-choices list; bindkey "^T" listing; print -r BEGIN'
        zpty -r shell out '*BEGIN*'
        zpty -w -n shell ${JSON.stringify(line)}$'\\C-T'
        zpty -r shell out '*END*'
        print -r -- "$out"`;
      const { stdout } = await run("zsh", ["-f", "-c", script], { env, cwd: place.dir });
      const all = lines(stdout.replaceAll("\r", ""));
      // It adds what it found more than once.
      return [...new Set(all)].filter((text) => /^[-\w=,/.]+$/.test(text) && !/^(?:BEGIN|END)$/.test(text));
    },
  };

  const lines = (text: string) => text.split("\n").filter((line) => line !== "");

  for (const [shell, offers] of Object.entries(shells)) {
    test(`${shell} completes commands, flags, values and builders`, async ({ skip }) => {
      const isThere = await run(shell, ["--version"]).then(
        () => true,
        () => false,
      );
      if (!isThere) skip(`${shell} is not installed on this machine`);
      expect(await offers("slipway ins")).toEqual(["inspect"]);
      expect(await offers("slipway build --metad")).toEqual(["--metadata-file"]);
      expect(await offers("slipway build --progress ra")).toEqual(["rawjson"]);
      expect(await offers("slipway build --progress=q")).toContain(
        shell === "fish" ? "--progress=quiet" : "quiet",
      );
      expect((await offers("slipway rm ")).sort()).toEqual(["alpha", "beta", "default"]);
      expect((await offers("slipway rm alpha ")).sort()).toEqual(["beta", "default"]);
      expect(await offers("slipway create --driver-opt memory-")).toEqual(["memory-swap="]);
      expect(await offers("slipway create --driver remote --driver-opt ca")).toEqual(["cacert="]);
      expect(await offers("slipway prune --filter ty")).toHaveLength(6);
      expect(await offers("slipway --builder be")).toEqual(["beta"]);
      expect(await offers("slipway history insp")).toEqual(["inspect"]);
      expect(await offers("slipway completion z")).toEqual(["zsh"]);
      const dirs = (await offers("slipway build dir-")).map((text) => text.replace(/\/$/, "")).sort();
      if (shell !== "zsh") expect(dirs).toEqual(["dir-one", "dir-two"]);
      expect(await offers("slipway version ")).toEqual([]);
      expect((await offers("slipway bake a")).sort()).toEqual(["all", "app"]);
      expect(await offers("slipway bake -f other.json ")).toEqual(["other"]);
    }, 60_000);
  }

  test("the help of each shell says how to load its script", async () => {
    const { stdout: all } = await place.succeed(["completion", "--help"]);
    for (const shell of ["bash", "zsh", "fish"]) {
      const { stdout } = await place.succeed(["completion", shell, "--help"]);
      expect(stdout).toContain(`slipway completion ${shell} >`);
      expect(all).toMatch(new RegExp(`^  ${shell} +Generate the autocompletion script for ${shell}$`, "m"));
    }
  });

  test.each<[words: string[], offered: string[], directive: number]>([
    [["create", "--driver-opt", "env"], ["env."], 6],
    [["create", "--driver=remote", "--driver-opt", "ca"], ["cacert="], 6],
    [["create", "--driver-opt=memory=1g,cpus"], ["memory=1g,cpuset-cpus=", "memory=1g,cpuset-mems="], 6],
    [["create", "--driver", "nosuch", "--driver-opt", ""], [], 4],
    [["du", "--filter", "sha"], ["shared=true"], 6],
    [["history", "ls", "--filter", "status=e"], ["status=error"], 6],
    [["history", "report", "--output", ""], [], 0],
    [["history", "export", "-o", ""], [], 0],
    [["build", "--report", ""], [], 0],
    [["build", "-o", "type=loc"], ["type=local,dest="], 6],
    [["bake", ""], ["all\tapp, m", "app\tWhat is shipped", "m\tm-1, m-2", "m-1", "m-2"], 4],
    [["f", "m-1", "m-"], ["m-2"], 4],
    [["bake", "--file=other.json", "-fdocker-bake.hcl", "o"], ["other"], 4],
    [["bake", "-f", "cwd://other.json", "--print", ""], ["other"], 4],
    [["bake", "-f", "broken.hcl", ""], [], 4],
    [["bake", "-f", "missing.hcl", ""], [], 4],
    [["bake", "-f", "pipe.hcl", ""], [], 4],
    [["bake", "-f", "-", ""], [], 4],
    [["bake", "https://example.com/app.git", ""], [], 4],
    [["bake", "--allow", "fs."], ["fs.read=", "fs.write="], 6],
  ])("%j is completed by %j", async (words, offered, directive) => {
    const { stdout } = await place.succeed(["__complete", ...words]);
    expect(stdout).toBe([...offered, `:${directive}\n`].join("\n"));
  });

  test("a shell that is not known is refused", async () => {
    const { exitCode, stderr } = await place.run(["completion", "tcsh"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('ERROR: unknown command: "tcsh"');
  });

  test("a broken store is no trouble to a shell", async () => {
    const config = place.path("buildx/instances/broken");
    await writeFile(config, "{");
    const { exitCode, stdout, stderr } = await place.run(["__complete", "use", "al"]);
    expect([exitCode, stdout, stderr]).toEqual([0, "alpha\n:4\n", ""]);
    await rm(config);
  });
});
