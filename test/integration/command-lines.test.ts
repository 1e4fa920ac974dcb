import { cp, mkdir, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandLine, commandLines } from "../support/command-lines.js";
import { engineEnv } from "../support/engine-env.js";
import { type Client, succeed, twoClients } from "../support/two-clients.js";
import { Workplace } from "../support/workplace.js";

/** What a command line printed and left in the store, in a form that two clients can be compared by. */
interface Outcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  store: Record<string, unknown>;
}

/** Command lines that run at the same time. */
const atOnce = 3;

describe("command lines do what buildx does", () => {
  const env = engineEnv();
  let place: Workplace;
  let clients: ReturnType<typeof twoClients>;
  const outcomes = new Map<CommandLine, Promise<Record<Client["name"], Outcome>>>();

  beforeAll(async () => {
    place = await Workplace.open("lines");
    const { DOCKER_CONFIG = "", DOCKER_HOST = "", HOME = "" } = place.env;
    clients = twoClients(env.buildx ?? "", {
      DOCKER_CONFIG,
      DOCKER_HOST,
      HOME,
      BUILDX_CONFIG: place.path("buildx"),
    });
    const context = await place.context({
      Dockerfile: "FROM busybox\nRUN true\n",
      "bad.Dockerfile": "FROM busybox\nBOGUS x\n",
      "warn.Dockerfile": "from busybox\nMAINTAINER me\nRUN true\n",
      "both.Dockerfile": "from busybox\nMAINTAINER me\nBOGUS x\n",
      "fail.Dockerfile": "FROM busybox\nRUN true\nRUN echo hello && exit 7\n",
      file: "",
    });
    await cp(context, place.path("ctx"), { recursive: true });
    const { buildx } = clients;
    const one = ["create", "--name", "one", "--use", "--node", `${place.id}-a`, "--bootstrap"];
    await succeed(buildx, [...one, "--driver-opt", "network=host"]);
    const two = ["create", "--name", "two", "--node", "two0"];
    await succeed(buildx, [...two, "--platform", "linux/arm64,linux/amd64"]);
    await succeed(buildx, ["build", "-q", context]);
    let next = 0;
    const queue = async () => {
      for (let line = commandLines[next++]; line; line = commandLines[next++]) await resultOf(line);
    };
    for (let count = 0; count < atOnce; count++) void queue().catch(() => {});
  }, 120_000);

  afterAll(async () => {
    await Promise.allSettled(outcomes.values());
    await place.close();
  }, 60_000);

  test.each(commandLines.map((line) => [line.args.join(" "), line] as const))(
    "%s",
    async (_text, line) => {
      const { slipway, buildx } = await resultOf(line);
      const { meant } = line;
      if (!meant) return expect(slipway).toEqual(buildx);
      expect(slipway.stdout + slipway.stderr).toBe(`${meant.says}\n`);
      expect(slipway.exitCode).toBe(meant.exitCode ?? buildx.exitCode);
      // A difference that is none any more goes from the list.
      expect(slipway).not.toEqual(buildx);
    },
    120_000,
  );

  /** Both clients' outcome, each with a copy of the store to itself. */
  function resultOf(line: CommandLine): Promise<Record<Client["name"], Outcome>> {
    let result = outcomes.get(line);
    if (!result) {
      const run = async () => ({
        buildx: await outcomeOf(line, clients.buildx),
        slipway: await outcomeOf(line, clients.slipway),
      });
      outcomes.set(line, (result = run()));
      result.catch(() => {});
    }
    return result;
  }

  async function outcomeOf({ args }: CommandLine, client: Client): Promise<Outcome> {
    const config = place.path(`store-${commandLines.findIndex((line) => line.args === args)}-${client.name}`);
    await mkdir(config);
    await cp(place.path("buildx"), config, { recursive: true });
    const { exitCode, stdout, stderr } = await client.run(args, {
      cwd: place.dir,
      env: { BUILDX_CONFIG: config },
    });
    const normal = (text: string) => normalize(text.replaceAll(place.dir, "DIR"), args, exitCode === 0);
    return {
      exitCode,
      stdout: normal(stdout.toString()),
      stderr: normal(stderr),
      store: await storeOf(config),
    };
  }
});

/** What differs by nature, or in every command in the same way and on purpose. */
function normalize(text: string, [...args]: readonly string[], succeeded: boolean): string {
  let lines = text
    .replaceAll(/\b(?:docker buildx|buildx|slipway)\b/g, "PROGRAM")
    .replaceAll(/store-\d+-PROGRAM/g, "STORE")
    .replaceAll(/\d+ (?:second|minute)s? ago|About a minute ago|Less than a second ago/g, "AGO")
    .replaceAll(/^\d+\.\d+ /gm, "TIME ")
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:]+Z?/g, "DATE")
    .split("\n")
    // Progress is compared elsewhere, and comes in any order.
    .filter((line) => line !== "" && !/^#\d+ /.test(line));
  // slipway warns when a build begins, not for a command line that cannot be built.
  if (!succeeded) lines = lines.filter((line) => !line.startsWith("WARNING: No output specified"));
  lines = lines.map((line) => line.replace("requires 0 arguments", "accepts no arguments"));
  if (args.some((arg) => /^(?:-h|--help|help|bogus|-D)$/.test(arg))) lines = lines.filter(isCommonHelp);
  if (args.includes("du")) lines.sort(); // as they come from the daemon
  if (args.includes("ls") && !args.includes("-h")) {
    lines = lines.map((line) => line.replaceAll(/ +/g, " ").trimEnd());
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** Leaves out what one of the two programs lacks: commands, flags, drivers, and the hint about experiments. */
function isCommonHelp(line: string): boolean {
  return !(
    /^ {2}(?:bake|completion|dap|debug|dial-stdio|doctor|history|imagetools|login|logout|policy|replay|report) /.test(
      line,
    ) ||
    /^ {6}--(?:allow-hosts|cache-mounts|connect|context-race|driver|engine-images|explain|export-failed|invoke|network-log|on|policy|policy-module|record-inputs|report|reproducible|trust-ca|ulimit) /.test(
      line,
    ) ||
    /^(?:Experimental commands|Extended build capabilities)/.test(line) ||
    /^ {2}-h, --help/.test(line)
  );
}

/** The builders of a store and what is current. */
async function storeOf(config: string): Promise<Record<string, unknown>> {
  const read = async (file: string) =>
    // buildx writes the configuration anew from what it read, slipway keeps the file as it is.
    JSON.parse(await readFile(path.join(config, file), "utf8"), (key, value: unknown) =>
      key === "Files" ? undefined : value,
    ) as unknown;
  const names = await readdir(path.join(config, "instances"));
  const groups = await Promise.all(
    names.map(async (name) => [name, await read(`instances/${name}`)] as const),
  );
  return {
    groups: Object.fromEntries(groups),
    current: await read("current"),
    defaults: await readdir(path.join(config, "defaults")),
  };
}
