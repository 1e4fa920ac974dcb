import { readFile, readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../support/slipway.js";
import { type TerminalWindow, Terminals } from "../support/terminal-window.js";
import { Workplace, eventually } from "../support/workplace.js";

/** `--invoke`, `--on`, `debug … build` and `--export-failed`: the command in a result, and in a step that failed. */
const terminals = new Terminals();
const hasTmux = await Terminals.available();
if (!hasTmux) console.log("invoke.test.ts: terminals not tried: there is no tmux on this machine");

let place: Workplace;
let builder: string;
let good: string;
let broken: string;

beforeAll(async () => {
  place = await Workplace.open("invoke");
  builder = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
  const base =
    "FROM busybox\nRUN echo app:x:1000:1000::/:/bin/sh >>/etc/passwd\nENV GREETING=hello\nWORKDIR /srv\n";
  good = await place.context({ Dockerfile: `${base}USER app\n` });
  broken = await place.context({
    Dockerfile: `${base}RUN mkdir -p /reports/sub && echo '<failure/>' >/reports/junit.xml && ln -s ../junit.xml /reports/sub/link && chmod 4755 /reports/junit.xml && exit 7\n`,
  });
});

afterAll(async () => {
  await terminals.close();
  await place?.close();
});

const build = (...args: string[]) => ["build", "--builder", builder, ...args];
const debug = (flags: string[], ...args: string[]) => [
  "debug",
  ...flags,
  "build",
  "--builder",
  builder,
  ...args,
];
const look = 'sh -c "pwd; id -un; echo $GREETING $EXTRA; exit 5"';

describe("after a good build", () => {
  test("a command runs in the image's directory, as its user, with its environment, and its code is the exit code", async () => {
    const dest = place.path("out");
    const told = await place.run(build("--on", "always", "--invoke", look, "-o", dest, good));
    expect(told.stdout).toBe("/srv\napp\nhello\n");
    expect(told.exitCode).toBe(5);
    // What was to come out is there nevertheless.
    expect(await readFile(`${dest}/etc/passwd`, "utf8")).toContain("app:");
    const fields = `"args=[""sh"",""-c"",""pwd; id -un; echo $EXTRA""]",user=root,cwd=/etc,env=EXTRA=there`;
    const other = await place.run(debug(["--invoke", fields, "--on=always"], good));
    expect(other).toMatchObject({ stdout: "/etc\nroot\nthere\n", exitCode: 0 });
    const piped = await place.run(build("--on", "always", "--invoke", "cat", good), { input: "through\n" });
    expect(piped).toMatchObject({ stdout: "through\n", exitCode: 0 });
  });

  test("none runs unless it is to; what cannot be run, and wrong words, are told", async () => {
    const none = await place.run(build("--invoke", "echo no", "--quiet", good));
    expect(none).toMatchObject({ stdout: "", exitCode: 0 });
    const unknown = await place.run(build("--on", "always", "--invoke", "/no/such", good));
    expect(unknown.exitCode).not.toBe(0);
    expect(unknown.stderr).toContain("/no/such");
    for (const [flags, text] of [
      [["--on", "never"], '"never"'],
      [["--invoke", '"cwd=/",bogus=1'], "bogus"],
      [["--invoke", "sh", "--check"], "--check"],
      [["--export-failed", "nothing"], "PATH=DEST"],
      [["--export-failed", "/a=/dev/null"], "/dev/null"],
    ] as const) {
      const told = await place.run(build(...flags, good));
      expect(told).toMatchObject({ exitCode: 1, stdout: "" });
      expect(told.stderr).toContain(text);
    }
  });
});

describe("after a step that failed", () => {
  test("a command runs there, its code is told, and the build has failed", async () => {
    const told = await place.run(build("--invoke", "sh -c 'pwd; cat /reports/junit.xml; exit 5'", broken));
    expect(told).toMatchObject({ stdout: "/srv\n<failure/>\n", exitCode: 1 });
    expect(told.stderr).toContain("The command in the failed step ended with exit code 5\n");
    expect(told.stderr).toMatch(/ERROR: failed to build: failed to solve: .* exit code: 7/);
    const shell = await place.run(debug([], broken), { input: "pwd\nexit 3\n" });
    expect(shell).toMatchObject({ stdout: "/srv\n", exitCode: 1 });
    expect(shell.stderr).toContain("exit code 3");
  });

  test("--export-failed takes paths out of it, as they are, and the build has failed", async () => {
    const dir = await place.context({ "junit.xml": "old", other: "stays" });
    const told = await place.run(
      build(
        "--export-failed",
        `/reports=${dir}`,
        "--export-failed",
        `/reports/junit.xml=${dir}/one.xml`,
        broken,
      ),
    );
    expect(told).toMatchObject({ stdout: "", exitCode: 1 });
    expect(told.stderr).toContain(`Wrote /reports of the failed step to ${dir} (2 files)\n`);
    expect((await readdir(dir)).sort()).toEqual(["junit.xml", "one.xml", "other", "sub"]);
    expect(await readFile(`${dir}/sub/link`, "utf8")).toBe("<failure/>\n");
    expect(await readFile(`${dir}/one.xml`, "utf8")).toBe("<failure/>\n");
    const missing = await place.run(build("--export-failed", `/no/such=${dir}/none`, broken));
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain("WARNING: --export-failed: /no/such cannot be read");
    expect(await readdir(dir)).not.toContain("none");
    const early = await place.context({ Dockerfile: "FROM scratch\nCOPY missing /\n" });
    const kept = await place.run(build("--export-failed", `/a=${dir}/a`, early));
    expect(kept.exitCode).toBe(1);
    expect(kept.stderr).toContain("only a RUN step that fails leaves files");
    expect(await place.run(build("--export-failed", `/a=${dir}/a`, good))).toMatchObject({ exitCode: 0 });
  });
});

describe.skipIf(!hasTmux)("in a terminal", () => {
  let count = 0;
  const open = (args: string[]): Promise<TerminalWindow> =>
    terminals.open({
      command: [process.execPath, bundle, ...args],
      env: { ...place.env, CI: undefined },
      codeFile: place.path(`${++count}.code`),
      columns: 90,
      rows: 20,
    });

  test("a shell has its size, also a new one, and Ctrl-C; its code is the exit code", async () => {
    const terminal = await open(build("--on", "always", "--invoke", "sh", good));
    await terminal.shows(/\/srv \$ ?$/m);
    await terminal.press("stty size");
    await terminal.press("Enter");
    await terminal.shows("20 90");
    await terminal.resize(70, 15);
    await eventually(async () => {
      await terminal.press("stty size");
      await terminal.press("Enter");
      return (await terminal.screen()).includes("15 70");
    });
    await terminal.press("sleep 985");
    await terminal.press("Enter");
    await eventually(async () => (await place.processes(builder, "sleep 985")).length > 0);
    await terminal.press("C-c");
    await eventually(async () => (await place.processes(builder, "sleep 985")).length === 0);
    await terminal.press("exit 5");
    await terminal.press("Enter");
    expect(await terminal.ended()).toBe(5);
    expect(await terminal.settings()).toEqual(expect.arrayContaining(["echo", "icanon", "isig", "opost"]));
  });

  test("a terminal that is closed ends the command, and leaves nothing behind in the builder", async () => {
    const terminal = await open(debug(["--invoke", "sleep 984"], broken));
    await eventually(async () => (await place.processes(builder, "sleep 984")).length > 0);
    await terminal.close();
    expect(await terminal.ended()).toBe(130);
    await eventually(async () => (await place.processes(builder, "sleep 984")).length === 0);
  });
});
