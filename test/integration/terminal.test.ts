import { readFile, readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { bundle } from "../support/slipway.js";
import { type TerminalWindow, Terminals, colouredLines } from "../support/terminal-window.js";
import { Workplace, eventually } from "../support/workplace.js";

/** The display looked at in a real terminal: tmux draws it, and what it shows is compared. */
const terminals = new Terminals();
const hasTmux = await Terminals.available();
if (!hasTmux) console.log("terminal.test.ts: not run: there is no tmux on this machine");
const { buildx } = engineEnv();

let place: Workplace;
let builder: string;
let failing: string;

beforeAll(async () => {
  place = await Workplace.open("terminal");
  builder = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
  failing = await place.context({ Dockerfile: "FROM scratch\nCOPY missing /\n" });
});

afterAll(async () => {
  await terminals.close();
  await place?.close();
});

interface Size {
  columns?: number;
  rows?: number;
}

let count = 0;
/** A build in a terminal of its own. */
async function open(
  context: string,
  { columns = 80, rows = 20 }: Size = {},
  env: Readonly<Record<string, string>> = {},
  client: readonly string[] = [process.execPath, bundle],
): Promise<TerminalWindow> {
  return await terminals.open({
    command: [...client, "build", "--builder", builder, "--no-cache", "-o", "type=cacheonly", context],
    env: { ...place.env, CI: undefined, NO_COLOR: undefined, ...env },
    codeFile: place.path(`${++count}.code`),
    columns,
    rows,
  });
}

/** A screen with its times, sizes and builder's name replaced, each by as many columns. */
function normalised(screen: string): string {
  return screen
    .replaceAll(/\d+\.\ds/g, "N.Ns")
    .replaceAll(/\d+B/g, (size) => "N".repeat(size.length))
    .replaceAll(/[a-z0-9]{25}::[a-z0-9]{25}/g, "REF")
    .replaceAll(builder, "B".repeat(builder.length))
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .trimEnd();
}

/** The last picture and what follows, as `COLOUR|text`; the picture's lines sorted, as steps may begin in any order. */
function lastPicture(screen: string): string[] {
  const lines = colouredLines(normalised(screen));
  const picture = lines.slice(lines.findLastIndex((line) => line.includes("[+] Building")));
  const end = picture.findIndex((line, index) => index > 0 && !line.includes("| => "));
  return [...picture.slice(0, 1), ...picture.slice(1, end).sort(), ...picture.slice(end)];
}

describe.skipIf(!hasTmux)("the display in a terminal", () => {
  test("fits into 40 columns, wide and combining characters and emoji too", async () => {
    const family = "👩\u200d👩\u200d👧\u200d👦";
    const context = await place.context({
      Dockerfile: [
        "FROM scratch",
        "COPY 名前 /目的地のファイル🎉",
        "COPY 名前 /e\u0301-combining-name",
        "COPY 名前 /🎉🎉🎉🎉🎉🎉🎉🎉",
        `COPY 名前 /${family}/❤\ufe0f`,
      ].join("\n"),
      名前: "content\n",
    });
    const terminal = await open(context, { columns: 40 });
    expect(await terminal.ended()).toBe(0);
    const lines = normalised(await terminal.screen()).split("\n");
    // How wide this one is, is tmux's to say; the time has its place nevertheless, and nothing wraps.
    expect(lines.pop()).toMatch(/^ => \[4\/4\] COPY 名前 \/👩.* {2}N\.Ns$/);
    expect(lines).toEqual([
      "before",
      "[+] Building N.Ns (7/7) FINISHED docker-",
      " => [internal] load build definit  N.Ns",
      " => => transferring dockerfi NNNN  N.Ns",
      " => [internal] load .dockerignore  N.Ns",
      " => => transferring context: NN    N.Ns",
      " => [internal] load build context  N.Ns",
      " => => transferring context: NNN   N.Ns",
      " => [1/4] COPY 名前 /目的地のファ  N.Ns",
      " => [2/4] COPY 名前 /e\u0301-combining-  N.Ns",
      " => [3/4] COPY 名前 /🎉🎉🎉🎉🎉🎉  N.Ns",
    ]);
  });

  test.each([
    ["", {}],
    ["with NO_COLOR", { NO_COLOR: "1" }],
    ["with BUILDKIT_COLORS", { BUILDKIT_COLORS: "run=green:error=255,0,0" }],
    ["with BUILDKIT_COLORS that make no sense", { BUILDKIT_COLORS: "run=pink:what=red:x:error=magenta" }],
    ["with CI, which does not matter in a terminal", { CI: "true", GITHUB_ACTIONS: "true" }],
  ])("has buildx's colours and lines %s", async (_, env) => {
    const ours = await open(failing, { rows: 40 }, env);
    expect(await ours.ended()).toBe(1);
    const screen = await ours.screen("-e");
    const picture = lastPicture(screen);
    const colours: Record<string, string> = { run: "34", error: "31" };
    if ("NO_COLOR" in env) Object.assign(colours, { run: "", error: "" });
    if ("BUILDKIT_COLORS" in env) colours["error"] = env.BUILDKIT_COLORS.includes("255") ? "38;5;196" : "35";
    if ("BUILDKIT_COLORS" in env && env.BUILDKIT_COLORS.includes("green")) colours["run"] = "32";
    expect(picture.slice(0, 8).map((line) => line.replace(/  +/, "  "))).toEqual([
      `|[+] Building N.Ns (4/4) FINISHED  docker-container:${"B".repeat(builder.length)}`,
      ...[
        `${colours["error"]}| => ERROR [1/1] COPY missing /  N.Ns`,
        `${colours["run"]}| => => transferring context: NN  N.Ns`,
        `${colours["run"]}| => => transferring context: NN  N.Ns`,
        `${colours["run"]}| => => transferring dockerfile: NNN  N.Ns`,
        `${colours["run"]}| => [internal] load .dockerignore  N.Ns`,
        `${colours["run"]}| => [internal] load build context  N.Ns`,
        `${colours["run"]}| => [internal] load build definition from Dockerfile  N.Ns`,
      ].sort(),
    ]);
    // What is wrong with the variable is said before the first picture, by both.
    const said = screen.split("[+] Building")[0] ?? "";
    const complaints = [/run=pink/, /expected: run, cancel, error,? o?r?\s*warning\): what/, /component: x/];
    for (const complaint of complaints)
      expect(complaint.test(said)).toBe("BUILDKIT_COLORS" in env && env.BUILDKIT_COLORS.includes("pink"));
    if (!buildx) return console.log("not compared with buildx: there is none");
    const theirs = await open(failing, { rows: 40 }, env, [buildx]);
    expect(await theirs.ended()).toBe(1);
    expect(picture).toEqual(lastPicture(await theirs.screen("-e")));
  });

  test.each([
    ["BUILDKIT_PROGRESS=plain", { BUILDKIT_PROGRESS: "plain" }],
    ["TERM=dumb", { TERM: "dumb" }],
  ])("is lines of text with %s", async (_, env) => {
    const terminal = await open(failing, { rows: 40 }, env);
    expect(await terminal.ended()).toBe(1);
    const screen = await terminal.screen("-e");
    expect(screen).toMatch(/^before\n#0 building with "\S+" instance using docker-container driver\n\n#1 /);
    expect(screen).toMatch(/^ERROR: failed to build: failed to solve: /m);
    expect(screen).not.toMatch(/\x1b|\[\+\]/);
  });

  test("refuses a BUILDKIT_PROGRESS that it does not know as buildx does", async () => {
    for (const client of [undefined, ...(buildx ? [[buildx]] : [])]) {
      const terminal = await open(failing, {}, { BUILDKIT_PROGRESS: "fancy" }, client);
      expect(await terminal.ended()).toBe(1);
      expect(normalised(await terminal.screen())).toBe("before\nERROR: invalid progress mode fancy");
    }
  });

  test("leaves no garbage when the terminal becomes narrower, wider, lower and higher", async () => {
    const context = await place.context({
      Dockerfile: "FROM busybox\nRUN echo some output; until [ -e /go ]; do sleep 0.1; done\n",
    });
    // Drawn when the size changes, and not meanwhile: tmux tells it some time after it has wrapped what there is.
    const terminal = await open(context, { rows: 40 }, { TTY_DISPLAY_RATE: "600000" });
    await eventually(async () => (await place.processes(builder, "until [ -e /go ]")).length > 0);
    const redrawn = async (columns: number, rows: number): Promise<void> => {
      const header = /^\[\+\] .*$/m;
      const before = header.exec(await terminal.screen())?.[0];
      await terminal.resize(columns, rows);
      await eventually(async () => {
        const now = header.exec(await terminal.screen())?.[0];
        return now !== before && (now?.length ?? 0) >= columns - 1;
      });
    };
    const lines = async (...flags: string[]) =>
      normalised(await terminal.screen(...flags))
        .split("\n")
        .map((line) => line.slice(0, 20).trimEnd())
        .filter((line) => !/^ => => (?:sha256|extracting)/.test(line)); // there the first time only
    const picture = [
      "[+] Building N.Ns (4",
      " => [internal] load",
      " => => transferring",
      " => [internal] load",
      " => [internal] load",
      " => => transferring",
      expect.stringMatching(/^ => (?:CACHED )?\[1\/2\] FROM?/),
      " => => resolve docke",
      " => [2/2] RUN echo s",
      " => => # some output",
    ];
    // The output may come after the first pictures.
    let height = 40;
    do await redrawn(80, (height = 81 - height));
    while (!(await terminal.screen()).includes(" => => # some output"));
    for (const [columns, rows] of [
      [100, 40],
      [100, 30],
      [120, 34],
    ] as const) {
      await redrawn(columns, rows);
      expect(await lines("-S", "-")).toEqual(["before", ...picture]);
    }
    // tmux has pushed up what no longer fitted when it wrapped the lines; below, all of that is gone.
    await redrawn(40, 34);
    expect(await lines()).toEqual(picture);
    await terminal.press("C-c");
    expect(await terminal.ended()).toBe(130);
  });

  test("ends the build with the terminal", async () => {
    const context = await place.context({ Dockerfile: "FROM busybox\nRUN echo started; sleep 986\n" });
    const terminal = await open(context, { columns: 60 }, { NO_COLOR: "1" });
    await terminal.shows(/^ => => # started$/m);
    expect(await terminal.screen("-e")).not.toMatch(/\x1b\[3[0-8]m/);
    expect(await place.processes(builder, "sleep 986")).not.toEqual([]);
    await terminal.close();
    expect(await terminal.ended()).toBe(130);
    await eventually(async () => (await place.processes(builder, "sleep 986")).length === 0);
    expect(await processesOf(context)).toEqual([]);
  });

  test("FLT-41 leaves the terminal as it was when it is stopped, once or three times, with exit code 130", async () => {
    const context = await place.context({ Dockerfile: "FROM busybox\nRUN sleep 987\n" });
    const terminal = await open(context);
    await terminal.shows("RUN sleep 987");
    await eventually(async () => (await place.processes(builder, "sleep 987")).length > 0);
    await terminal.press("C-c");
    expect(await terminal.ended()).toBe(130);
    expect(await terminal.screen()).toMatch(/^ => CANCELED \[2\/2\] RUN sleep 987 +\d+\.\ds$/m);
    await isAsBefore(terminal);

    const frozen = await open(context);
    await frozen.shows("RUN sleep 987");
    await place.engine.containers.pause(place.container(builder));
    try {
      while (!(await frozen.isOver())) await frozen.press("C-c");
    } finally {
      await place.engine.containers.unpause(place.container(builder));
    }
    expect(await frozen.ended()).toBe(130);
    await isAsBefore(frozen);
  });

  test("leaves each line once in the scrollback when there are more than the terminal has", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `file-${index + 1}`);
    const context = await place.context({
      Dockerfile: `FROM scratch\n${names.map((name) => `COPY data /${name}\n`).join("")}`,
      data: "content\n",
    });
    const terminal = await open(context, { rows: 12 });
    expect(await terminal.ended()).toBe(0);
    const lines = normalised(await terminal.screen("-S", "-")).split("\n");
    expect(lines.map((line) => line.replace(/  +\S+$/, ""))).toEqual([
      "before",
      "[+] Building N.Ns (33/33) FINISHED",
      " => [internal] load build definition from Dockerfile",
      " => => transferring dockerfile: NNNN",
      " => [internal] load .dockerignore",
      " => => transferring context: NN",
      " => [internal] load build context",
      " => => transferring context: NNN",
      ...names.map((name, index) => ` => [${String(index + 1).padStart(2)}/30] COPY data /${name}`),
    ]);
  });
});

async function isAsBefore(terminal: TerminalWindow): Promise<void> {
  expect(await terminal.cursorIsVisible()).toBe(true);
  expect(await terminal.settings()).toEqual(expect.arrayContaining(["echo", "icanon", "isig", "opost"]));
}

/** Processes of this machine with this in their command line. */
async function processesOf(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.includes(text));
}
