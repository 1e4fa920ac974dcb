import { type Command, Option } from "commander";
import type { GlobalFlags } from "./cli-context.js";
import { collect } from "./flags.js";

/** Flags of `slipway bake`, as they are read. */
export interface BakeFlags extends GlobalFlags {
  allow?: string[];
  call: string;
  check?: boolean;
  file?: string[];
  jobs: string;
  list?: string;
  listTargets?: boolean;
  listVariables?: boolean;
  load?: boolean;
  metadataFile?: string;
  /** `--no-cache`, which may be false; commander drops the `no` of the name and starts at true. */
  cache: boolean;
  policy?: string[];
  policyModule?: string[];
  print?: boolean;
  progress: string;
  provenance?: string;
  pull?: boolean;
  push?: boolean;
  recordInputs?: boolean;
  reproducible?: boolean;
  sbom?: string;
  set?: string[];
  var?: string[];
}

type Row = readonly [flag: string, description: string, isList?: "list"];

/** Flags and what they are for, as buildx lists them. */
const flagTable: readonly Row[] = [
  ["--allow <stringArray>", "Allow build to access specified resources", "list"],
  ["--call <string>", 'Set method for evaluating build ("check", "outline", "targets")'],
  ["--check", 'Shorthand for "--call=check"'],
  ["-f, --file <stringArray>", "Build definition file", "list"],
  ["-j, --jobs <string>", 'Set target execution behavior (format: "N" or "mode[,parallel=N]")'],
  ["--list <string>", "List targets or variables"],
  ["--load", 'Shorthand for "--set=*.output=type=docker". Conditional.'],
  ["--metadata-file <string>", "Write build result metadata to a file"],
  ["--no-cache", "Do not use cache when building the image"],
  ["--policy <stringArray>", "Policy configuration (only disabled=true; rego is not supported)", "list"],
  ["--policy-module <file>", "Module whose functions decide on each source of the build", "list"],
  ["--print", "Print the options without building"],
  [
    "--progress <string>",
    'Set type of progress output ("auto", "none",  "plain", "quiet", "rawjson", "tty"). Use plain to show container output',
  ],
  ["--provenance <string>", 'Shorthand for "--set=*.attest=type=provenance"'],
  ["--pull", "Always attempt to pull all referenced images"],
  ["--push", 'Shorthand for "--set=*.output=type=registry". Conditional.'],
  ["--record-inputs", "Record digests of the local contexts in the provenance, for slipway replay"],
  ["--reproducible", "Make the same images of the same, and warn of what is another thing another day"],
  ["--sbom <string>", 'Shorthand for "--set=*.attest=type=sbom"'],
  ["--set <stringArray>", 'Override target value (e.g., "targetpattern.key=value")', "list"],
  ["--var <stringArray>", 'Set a variable value (e.g., "name=value")', "list"],
];

const defaults: Readonly<Record<string, string>> = { call: "build", jobs: "fail-fast", progress: "auto" };

/** Adds the flags of `bake` to a command. */
export function addBakeFlags(command: Command): void {
  for (const [flag, description, isList] of flagTable) {
    const option = new Option(flag, description);
    const initial = defaults[option.attributeName()];
    if (initial !== undefined) option.default(initial);
    command.addOption(isList ? option.argParser(collect) : option);
  }
  // The old forms of --list.
  for (const flag of ["--list-targets", "--list-variables"]) command.addOption(new Option(flag).hideHelp());
}
