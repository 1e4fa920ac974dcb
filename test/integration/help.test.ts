import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineEnv } from "../support/engine-env.js";
import { type Client, twoClients } from "../support/two-clients.js";

/** What slipway's help means to say otherwise than buildx's: lines of a command's help that only one of them has. */
interface MeantHelp {
  buildx?: readonly string[];
  slipway?: readonly string[];
}

const meant: Readonly<Record<string, MeantHelp>> = {
  "": {
    buildx: [
      "Extended build capabilities with BuildKit",
      // Commands that slipway does not have.
      "dap Start debug adapter protocol compatible debugger",
      "debug Start debugger (EXPERIMENTAL)",
      "policy Commands for working with build policies",
      "replay Replay a build from its provenance (EXPERIMENTAL)",
    ],
    slipway: [
      "Extended build capabilities with BuildKit, without docker",
      "completion Generate the autocompletion script for the specified shell",
      "debug Start debugger",
      "doctor Look at all that a build depends on",
      "login Authenticate to a registry",
      "logout Log out from a registry",
      "replay Replay a build from its provenance",
    ],
  },
  bake: {
    buildx: [
      '--policy stringArray Global policy evaluation options (format: "[disabled=true|false][,strict=true|false][,log-level=level]")',
    ],
    slipway: [
      "--policy stringArray Policy configuration (only disabled=true; rego is not supported)",
      "--policy-module file Module whose functions decide on each source of the build",
      "--record-inputs Record digests of the local contexts in the provenance, for PROGRAM replay",
      "--reproducible Make the same images of the same, and warn of what is another thing another day",
    ],
  },
  build: {
    buildx: [
      '--policy stringArray Policy configuration (format: "filename=path[,filename=path][,reset=true|false][,disabled=true|false][,strict=true|false][,log-level=level]")',
      "--ulimit ulimit Ulimit options (default [])",
    ],
    slipway: [
      "--allow-hosts list Hosts that RUN steps and ADD may ask by http and https, and no others",
      '--cache-mounts dir Carry the content of cache mounts from one builder to the next (e.g., "path/to/dir", "dir=path/to/dir,image=busybox")',
      '--context-race string What to do about files that are written to while they are sent ("error", "warn")',
      "--engine-images list Take base images that the engine has from there: those that the Dockerfile names, or these",
      "--explain Tell why steps ran that an earlier build had",
      '--export-failed stringArray Take a path out of the step that failed (format: "path=dest")',
      "--invoke string Run a command in the result, or in the step that failed",
      "--network-log file Write what the build asked of the network to a file (JSON)",
      '--on string When to run it ("always", "error")',
      "--policy stringArray Policy configuration (only disabled=true; rego is not supported)",
      "--policy-module file Module whose functions decide on each source of the build",
      "--record-inputs Record digests of the local contexts in the provenance, for PROGRAM replay",
      "--report path Write a page that shows where the build's time went",
      "--reproducible Make the same image of the same, and warn of what is another thing another day",
      "--trust-ca file Authorities that RUN steps trust besides the public ones (PEM)",
      "--ulimit ulimit Ulimit options",
    ],
  },
  create: {
    buildx: [
      '--driver string Driver to use (available: "cloud", "docker-container", "kubernetes", "remote")',
    ],
    slipway: [
      "--connect string How to reach the daemon: auto, exec or socket",
      '--driver string Driver to use (available: "docker-container", "kubernetes", "remote")',
      "--trust-ca file Authorities that the daemon trusts besides the public ones (PEM)",
    ],
  },
  history: { slipway: ["report Write a page that shows where a build's time went"] },
  "history trace": {
    buildx: [
      '--addr string Address to bind the UI server (default "127.0.0.1:0")',
      "--compare string Compare with another build record",
    ],
    slipway: [
      '--addr string Taken and not used: PROGRAM serves no UI (default "127.0.0.1:0")',
      "--compare string Not supported: PROGRAM serves no UI",
      "-o, --output string Output file path",
    ],
  },
  replay: {
    buildx: ["Replay a build from its provenance (EXPERIMENTAL)"],
    slipway: [
      "Replay a build from its provenance",
      "snapshot Export replay inputs for a subject as a reusable materials store",
      "verify Replay a subject and compare the result against the original artifact",
    ],
  },
  "replay build": {
    slipway: [
      '--context stringArray Directory of a recorded local context, which must be as it was (format: "name=path")',
      '--materials stringArray Materials store (repeatable; format: "provenance" | "oci-layout://<path>[:<tag>]" | "<absolute-path>" | "<key>=<value>")',
    ],
  },
  "replay verify": {
    slipway: [
      '--context stringArray Directory of a recorded local context, which must be as it was (format: "name=path")',
      "--no-cache Run every step again, also those that the builder has in its cache",
    ],
  },
};

/** Commands of one program alone have help of their own. */
const onlyOne = new Set([
  ...["completion", "dap", "doctor", "debug", "policy", "help", "history report", "login", "logout"],
]);

const { buildx } = engineEnv();

describe.skipIf(!buildx)("every command's help", () => {
  let config: string;
  let clients: ReturnType<typeof twoClients>;
  beforeAll(async () => {
    config = await mkdtemp(path.join(tmpdir(), "slipway-help-"));
    clients = twoClients(buildx ?? "", { DOCKER_CONFIG: config, BUILDX_EXPERIMENTAL: "1" });
  });
  afterAll(() => rm(config, { recursive: true, force: true }));

  test("says what buildx's says, but for what is meant", async () => {
    const differences: Record<string, MeantHelp> = {};
    const queue = [""];
    for (let command = queue.shift(); command !== undefined; command = queue.shift()) {
      const [ours, theirs] = await Promise.all([
        help(clients.slipway, command),
        help(clients.buildx, command),
      ]);
      const slipway = ours.filter((line) => !theirs.includes(line));
      const only = theirs.filter((line) => !ours.includes(line));
      if (slipway.length + only.length > 0)
        differences[command] = {
          ...(only.length > 0 && { buildx: only }),
          ...(slipway.length > 0 && { slipway }),
        };
      const own = [...commandsOf(ours), ...commandsOf(theirs)].map((name) => `${command} ${name}`.trim());
      queue.push(...new Set(own.filter((name) => !onlyOne.has(name))));
    }
    expect(differences).toEqual(meant);
  }, 240_000);
});

/** The lines of a command's help, with one blank between columns, and no name of the program. */
async function help(client: Client, command: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await client.run([...command.split(" ").filter(Boolean), "--help"]);
  expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: "" });
  return stdout
    .toString()
    .replaceAll(/\bbuildx\.local\b/g, "PROGRAM.local")
    .replaceAll(/\b(?:docker buildx|buildx|slipway)\b/g, "PROGRAM")
    .split("\n")
    .map((line) => line.trim().replaceAll(/ +/g, " "))
    .filter(Boolean);
}

function commandsOf(lines: readonly string[]): string[] {
  const start = lines.indexOf("Available Commands:");
  const end = lines.indexOf("Flags:");
  return start < 0 ? [] : lines.slice(start + 1, end).map((line) => line.split(" ")[0] ?? "");
}
