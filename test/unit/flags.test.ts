import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command, Option } from "commander";
import { expect, test } from "vitest";
import { isSwitch } from "../../src/cli/arguments/index.js";
import type { CliContext } from "../../src/cli/cli-context.js";
import { commandTable } from "../../src/cli/command-table.js";
import { directives } from "../../src/cli/completion/completions.js";
import { flagValues } from "../../src/cli/completion/values.js";
import { commandLines } from "../support/command-lines.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = [
  "README.md",
  ...readdirSync(`${root}/docs`)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const docs = pages.map((page) => readFileSync(`${root}/${page}`, "utf8")).join("\n");

/** A flag with the command that takes it, as `history ls --filter`. */
interface Flag {
  command: string;
  option: Option;
  name: string;
}

const context = { env: {} } as unknown as CliContext;
const commands = await Promise.all(commandTable.map(async ({ load }) => (await load()).command(context)));
const flags = commands.flatMap((command) => flagsOf(command, command.name()));

function flagsOf(command: Command, path: string): Flag[] {
  return [
    ...command.options.map((option) => ({
      command: path,
      option,
      name: `${path} ${option.long ?? option.flags}`,
    })),
    // `debug build` is `build` itself.
    ...(path === "debug" ? [] : command.commands).flatMap((one) => flagsOf(one, `${path} ${one.name()}`)),
  ];
}

/** Flags without words to complete: their values are names, sizes, times and addresses that only the user knows. */
const freeValues = new Set(
  `--add-host --addr --allow-hosts --annotation --build-arg --build-context --buildkitd-flags --cgroup-parent --compare --context --export-failed --image --keep-storage
   --label --max-used-space --min-free-space --name --no-cache-filter --node --password --policy --reserved-space
   --resource --set --shm-size --tag --target --timeout --type --ulimit --username --var`.split(/\s+/),
);

/** Tests on live engines that run flags of which test/support/command-lines.ts has no row. */
const runElsewhere: Readonly<Record<string, readonly string[]>> = {
  "cache-mounts.test.ts": ["build --cache-mounts"],
  "dial-stdio.test.ts": ["dial-stdio --platform", "dial-stdio --progress"],
  "bake.test.ts": [
    ...["allow", "call", "check", "file", "jobs", "list", "load", "metadata-file", "no-cache", "policy"],
    ...[
      "list-targets",
      "list-variables",
      "print",
      "progress",
      "provenance",
      "pull",
      "push",
      "sbom",
      "set",
      "var",
    ],
  ].map((name) => `bake --${name}`),
  "differential-attrs.test.ts": [
    ...[
      "cgroup-parent",
      "cpu-period",
      "cpu-quota",
      "cpuset-cpus",
      "cpuset-mems",
      "memory-swap",
      "policy",
      "sbom",
      "ssh",
    ].map((name) => `build --${name}`),
  ],
  "disk-usage.test.ts": [
    ...["filter", "format", "timeout", "verbose"].map((name) => `du --${name}`),
    ...["filter", "force", "verbose"].map((name) => `prune --${name}`),
  ],
  "differential.test.ts": ["prune --all"],
  "doctor.test.ts": ["doctor --image", "doctor --timeout"],
  "engine-images.test.ts": ["build --engine-images"],
  "explain.test.ts": ["build --explain"],
  "history-command.test.ts": [
    ...["filter", "format", "local", "no-trunc"].map((name) => `history ls --${name}`),
    ...["all", "finalize", "output"].map((name) => `history export --${name}`),
    ...["addr", "compare", "output"].map((name) => `history trace --${name}`),
    ...["platform", "type"].map((name) => `history inspect attachment --${name}`),
    ...["history inspect --format", "history logs --progress", "history rm --all"],
  ],
  "imagetools.test.ts": [
    ...["annotation", "append", "dry-run", "file", "metadata-file", "prefer-index", "progress", "tag"].map(
      (name) => `imagetools create --${name}`,
    ),
    ...["format", "raw"].map((name) => `imagetools inspect --${name}`),
  ],
  "invoke.test.ts": [
    ...["build --invoke", "build --on", "build --export-failed", "debug --invoke", "debug --on"],
  ],
  "page.test.ts": ["create --bootstrap", "inspect --bootstrap"],
  "policy.test.ts": ["build --policy-module", "bake --policy-module"],
  "proxy-network.test.ts": ["build --allow-hosts", "build --network-log"],
  "registry.test.ts": ["login --password-stdin", "login --username"],
  "reproducible.test.ts": ["bake --reproducible", "build --reproducible"],
  "replay.test.ts": [
    "bake --record-inputs",
    "build --record-inputs",
    ...[
      "context",
      "dry-run",
      "format",
      "materials",
      "output",
      "platform",
      "progress",
      "replay-mode",
      "secret",
      "ssh",
    ].map((name) => `replay build --${name}`),
    ...["load", "network", "push", "tag"].map((name) => `replay build --${name}`),
    ...[
      "compare",
      "context",
      "materials",
      "network",
      "no-cache",
      "output",
      "platform",
      "progress",
      "secret",
      "ssh",
    ].map((name) => `replay verify --${name}`),
    ...[
      "dry-run",
      "include-materials",
      "materials",
      "network",
      "output",
      "platform",
      "progress",
      "secret",
      "ssh",
    ].map((name) => `replay snapshot --${name}`),
  ],
  "report.test.ts": ["build --report", "history report --output"],
  "store-faults.test.ts": ["build --metadata-file"],
  "trust-ca.test.ts": ["build --trust-ca", "create --trust-ca"],
  "ways.test.ts": ["create --connect"],
};

/** Flags that no such test runs, and why. */
const notRun: Readonly<Record<string, string>> = {
  "build --context-race":
    "src/session/filesync/file-sync.test.ts changes files at a moment that a live test cannot choose",
  "history import --file": "needs Docker Desktop",
  "imagetools create --platform": "src/manage/image-tools/image-tools.test.ts keeps platforms of an index",
  "login --password": "--password-stdin is what is tested; the two differ in where the password is read",
};

const dash = (name: string) => new RegExp(`(?<![\\w-])${name}(?![\\w-])`);
const isNamed = ({ option: { long, short } }: Flag, text: string) =>
  [long, short].some((name) => name !== undefined && dash(name).test(text));

test("each flag stands on a page of the documentation", () => {
  const missing = flags.filter((flag) => !flag.option.hidden && !isNamed(flag, docs));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test("each value of a flag is completed, or is one that only the user knows", () => {
  const missing: string[] = [];
  for (const { option, command, name } of flags) {
    if (isSwitch(option) || option.hidden) continue;
    const { candidates, directive } = flagValues(option, { command, before: [], current: "" });
    const offered = candidates.map(({ value }) => value);
    const isOpen = freeValues.has(option.long ?? "") || directive === directives.files;
    if (offered.length === 0 && !isOpen) missing.push(`${name}: nothing is offered`);
    // What the help says it can be: ("error", "warn").
    const [, list = ""] = /\(((?:"[^"]+"(?:, +)?)+)\)/.exec(option.description) ?? [];
    const closed = [
      ...(option.argChoices ?? []),
      ...[...list.matchAll(/"([^"]+)"/g)].map(([, word = ""]) => word),
    ];
    for (const word of closed) if (!offered.includes(word)) missing.push(`${name}: ${word} is not offered`);
  }
  expect(missing).toEqual([]);
});

test("each flag is run on a live engine beside buildx, or elsewhere, or says why not", () => {
  const elsewhere = Object.values(runElsewhere).flat();
  const missing = flags.filter(
    ({ name, ...flag }) => !elsewhere.includes(name) && !(name in notRun) && !hasRow({ name, ...flag }),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test("the tables above name flags that there are, and tests that run them", () => {
  const wrong = Object.keys(notRun).filter((name) => !flags.some((flag) => flag.name === name));
  for (const [file, names] of Object.entries(runElsewhere)) {
    const text = readFileSync(`${root}/test/integration/${file}`, "utf8");
    for (const name of names) {
      const flag = flags.find((one) => one.name === name);
      if (!flag || !isNamed(flag, text)) wrong.push(`${file}: ${name}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** Whether a command line of the table has the flag, in either of its forms, behind its command. */
function hasRow({ command, option: { long, short } }: Flag): boolean {
  const path = command.split(" ");
  return commandLines.some(({ args }) => {
    const at = args.findIndex((_, index) => path.every((word, offset) => args[index + offset] === word));
    return (
      at >= 0 && args.slice(at).some((arg) => arg.split("=")[0] === long || (short && isShort(arg, short)))
    );
  });
}

/** Whether an argument is a short flag, or holds it among others, as `-qf`. */
function isShort(arg: string, short: string): boolean {
  return /^-\w/.test(arg) && arg.includes(short.slice(1));
}
