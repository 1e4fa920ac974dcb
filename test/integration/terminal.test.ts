import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../support/slipway.js";
import { Workplace, eventually } from "../support/workplace.js";

/** The display looked at in a real terminal: tmux draws it, and what it shows is compared. */
const run = promisify(execFile);
const socket = `slipway-${randomBytes(4).toString("hex")}`;
const tmux = async (...args: string[]) =>
  (await run("tmux", ["-L", socket, "-f", "/dev/null", ...args])).stdout;
const hasTmux = await run("tmux", ["-V"]).then(
  () => true,
  () => false,
);
if (!hasTmux) console.log("terminal.test.ts: not run: there is no tmux on this machine");

let place: Workplace;
let builder: string;

beforeAll(async () => {
  place = await Workplace.open("terminal");
  builder = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
});

afterAll(async () => {
  await tmux("kill-server").catch(() => {}); // ended with its last session
  await place?.close();
});

/** A build in a terminal of its own; `ended` is the exit code once there is one. */
async function open(name: string, context: string, columns: number, variables = "") {
  const code = place.path(`${name}.code`);
  const all = Object.entries(place.env);
  const unset = all.filter(([, value]) => value === undefined).map(([key]) => `-u ${key}`);
  const set = all.filter(([, value]) => value !== undefined).map(([key, value]) => `${key}='${value}'`);
  const build = `${variables} '${process.execPath}' '${bundle}' build --builder ${builder} --no-cache -o type=cacheonly '${context}'`;
  const after = `status=$?; stty -a >'${code}.stty'; echo $status >'${code}'; cat`;
  const script = `env ${[...unset, ...set].join(" ")} LANG=C.UTF-8 ${build}; ${after}`;
  await tmux("new-session", "-d", "-s", name, "-x", String(columns), "-y", "20", script);
  return {
    ended: async () => {
      const read = () => readFile(code, "utf8").catch(() => "");
      await eventually(async () => (await read()) !== "");
      return Number(await read());
    },
    /** What the terminal is set to after the build. */
    settings: () => readFile(`${code}.stty`, "utf8"),
    screen: (...flags: string[]) => tmux("capture-pane", "-p", "-t", name, ...flags),
  };
}

/** The build of that terminal has ended. */
const isOver = (name: string) =>
  readFile(place.path(`${name}.code`), "utf8").then(
    (text) => text !== "",
    () => false,
  );

async function isAsBefore(name: string, terminal: Awaited<ReturnType<typeof open>>) {
  expect((await tmux("display-message", "-p", "-t", name, "#{cursor_flag}")).trim()).toBe("1");
  expect((await terminal.settings()).split(/[\s;]+/)).toEqual(
    expect.arrayContaining(["echo", "icanon", "isig", "opost"]),
  );
}

/** A screen with its times, sizes and builder's name replaced, each by as many columns. */
function normalised(screen: string): string {
  const lines = screen.replaceAll(/\d+\.\ds/g, "N.Ns").replaceAll(/\d+B/g, (size) => "N".repeat(size.length));
  return lines
    .replaceAll(builder, "B".repeat(builder.length))
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .trimEnd();
}

describe.skipIf(!hasTmux)("the display in a terminal", () => {
  test("fits into 40 columns, wide and combining characters too", async () => {
    const context = await place.context({
      Dockerfile: "FROM scratch\nCOPY 名前 /目的地のファイル🎉\nCOPY 名前 /e\u0301-combining-name\n",
      名前: "content\n",
    });
    const terminal = await open("narrow", context, 40);
    expect(await terminal.ended()).toBe(0);
    expect(normalised(await terminal.screen())).toBe(
      [
        "[+] Building N.Ns (5/5) FINISHED docker-",
        " => [internal] load build definit  N.Ns",
        " => => transferring dockerfi NNNN  N.Ns",
        " => [internal] load .dockerignore  N.Ns",
        " => => transferring context: NN    N.Ns",
        " => [internal] load build context  N.Ns",
        " => => transferring context: NNN   N.Ns",
        " => [1/2] COPY 名前 /目的地のファ  N.Ns",
        " => [2/2] COPY 名前 /e\u0301-combining-  N.Ns",
      ].join("\n"),
    );
  });

  test("shows the output of a running step without colours, fits a terminal made narrower, and ends the build with it", async () => {
    const lines = 'for i in 1 2 3; do echo "line $i 日本語"; done';
    const context = await place.context({
      Dockerfile: `FROM busybox\nRUN ${lines}; until [ -e /go ]; do sleep 0.1; done\n`,
    });
    const terminal = await open("output", context, 60, "NO_COLOR=1");
    await eventually(async () => (await terminal.screen()).includes("line 3"));
    expect(await terminal.screen()).toMatch(
      / => => # line 1 日本語\n => => # line 2 日本語\n => => # line 3 日本語\n/,
    );
    await tmux("resize-window", "-t", "output", "-x", "40", "-y", "20");
    await eventually(async () =>
      /^ => \[2\/2\] RUN for i in 1 2 3; do +\d+\.\ds$/m.test(await terminal.screen()),
    );
    expect(await terminal.screen("-e")).not.toMatch(/\x1b\[3[0-8]m/);
    expect(await place.processes(builder, "until [ -e /go ]")).not.toEqual([]);
    // The terminal is closed in the middle of the build: it is cancelled, in the builder too.
    await tmux("kill-session", "-t", "output");
    await eventually(async () => (await place.processes(builder, "until [ -e /go ]")).length === 0);
  });

  test("FLT-41 leaves the terminal as it was when it is stopped, once or three times, with exit code 130", async () => {
    const context = await place.context({ Dockerfile: "FROM busybox\nRUN sleep 987\n" });
    const terminal = await open("stopped", context, 80);
    await eventually(async () => (await terminal.screen()).includes("RUN sleep 987"));
    await eventually(async () => (await place.processes(builder, "sleep 987")).length > 0);
    await tmux("send-keys", "-t", "stopped", "C-c");
    expect(await terminal.ended()).toBe(130);
    expect(await terminal.screen()).toMatch(/^ => CANCELED \[2\/2\] RUN sleep 987 +\d+\.\ds$/m);
    await isAsBefore("stopped", terminal);

    const frozen = await open("frozen", context, 80);
    await eventually(async () => (await frozen.screen()).includes("RUN sleep 987"));
    await place.engine.containers.pause(place.container(builder));
    try {
      while (!(await isOver("frozen"))) await tmux("send-keys", "-t", "frozen", "C-c");
    } finally {
      await place.engine.containers.unpause(place.container(builder));
    }
    expect(await frozen.ended()).toBe(130);
    await isAsBefore("frozen", frozen);
  });
});
