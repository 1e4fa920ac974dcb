import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Pump, fasterThanLinear, pumped } from "../support/growth.js";
import { type SourceRegExp, regExpsOf } from "../support/regexp-literals.js";

/** Parts of those for constraints on versions. */
const wild =
  "v?([0-9|xX*]+)(\\.[0-9|xX*]+)?(\\.[0-9|xX*]+)?(-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?";
const operators = "=|!=|>=|=>|<=|=<|>|<|~>|~|\\^|";
const constraints = "constraints of at most 256 characters, whose blanks are single";

/** Expressions that may be slow, by file and source: their input is ours alone, or short whatever comes. */
const ours: Readonly<Record<string, string>> = {
  "src/cli/arguments/format-help.ts [<[]([^>\\]]+)[>\\]]": "names of operands as the commands declare them",
  "src/cli/cache-rows.ts 0+$": "the nine digits of nanoseconds",
  "src/cli/commands/history/format-time.ts 0+$": "the nine digits of nanoseconds",
  "src/cli/commands/history/format-time.ts \\.?0+$": "milliseconds as Date.toISOString writes them",
  [`src/hcl/functions/versions.ts ^\\s*(${operators})\\s*${wild}\\s*$`]: constraints,
  [`src/hcl/functions/versions.ts (?:${operators})\\s*${wild}`]: constraints,
  [`src/hcl/functions/versions.ts ^\\s*(?:${operators})\\s*${wild}\\s*(?:(?:\\s+|,\\s*)(?:${operators})\\s*${wild}\\s*)*$`]:
    constraints,
  [`src/hcl/functions/versions.ts \\s*(${wild})\\s+-\\s+(${wild})\\s*`]: constraints,
  "src/progress/go-format.ts \\.?0+$": "a number as toPrecision(4) writes it",
  "src/progress/go-format.ts 0+$": "the nine digits of nanoseconds",
  "src/progress/go-format.ts \\.?0*Z$": "a time as Date.toISOString writes it",
};

/** Sources that are made at run time, and why those are no harm. */
const dynamic: readonly string[] = [
  // Names of targets as the command line gives them, which is the user's own.
  'src/bake/path-match.ts: new RegExp(`^${source}$`, "s")',
  // The name of a Unicode class, refused by the compiler if it is none; never run.
  'src/fs/go-regexp-parse.ts: new RegExp(`\\\\p{${candidate}}`, "u")',
  // One such class, run on one character.
  'src/fs/regexp-program.ts: new RegExp(`^${property}$`, "u")',
  // One class of a definition's own expression, run on one character.
  'src/hcl/functions/go-pattern.ts: new RegExp(`^(?:${set})$`, "u")',
];

const { found, dynamic: foundDynamic } = regExpsOf(
  fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, ""),
  "src",
);

test("every regular expression of src takes linear time (SEC-66)", { timeout: 120_000 }, () => {
  const slow: string[] = [];
  const excused = new Set<string>();
  for (const each of found) {
    const attack = attackOn(each.regexp);
    if (attack === undefined) continue;
    const key = keyOf(each);
    if (ours[key] === undefined) slow.push(`${each.file}:${each.line} ${each.regexp}: ${attack}`);
    else excused.add(key);
  }
  expect(slow).toEqual([]);
  // A reason for something that is not slow, or not there any more, is out of date.
  expect(Object.keys(ours).filter((key) => !excused.has(key))).toEqual([]);
});

test("no source of an expression comes from outside (SEC-66)", () => {
  expect(foundDynamic).toEqual(dynamic);
});

function keyOf({ file, regexp }: SourceRegExp): string {
  return `${file} ${regexp.source}`;
}

const common = ["a", "0", " ", "\t", "\n", "\r", "\0", "\\", '"', "/", ":", "=", "-"];
const endings = ["", "\n\0", "*0 !"];
/** At these lengths, in characters, a try is over within this, in ms, or the expression is looked at closely. */
const tries = [24, 150, 1200];
const suspicious = 0.4;

/** The first input that the expression takes more than linear time for. */
function attackOn(regexp: RegExp): string | undefined {
  const run = runner(regexp);
  for (const pump of pumpsFor(regexp)) {
    for (const length of tries) {
      const text = pumped(pump, length);
      if (elapsed(run, text) < suspicious || elapsed(run, text) < suspicious) continue;
      const growth = fasterThanLinear(run, pump);
      if (growth !== undefined) return growth;
      break;
    }
  }
  return undefined;
}

function elapsed(run: (text: string) => void, text: string): number {
  const start = performance.now();
  run(text);
  return performance.now() - start;
}

/** Uses the expression as its flags have it used. */
function runner(regexp: RegExp): (text: string) => void {
  if (!regexp.global) return (text) => void new RegExp(regexp).exec(text);
  return (text) => {
    for (const _ of text.matchAll(regexp));
  };
}

/** Inputs made of what the expression itself speaks of. */
function* pumpsFor(regexp: RegExp): Generator<Pump> {
  const words = wordsOf(regexp.source);
  const all = [...new Set([...words, ...common])];
  for (const suffix of endings) {
    for (const pump of all) for (const prefix of ["", ...words]) yield { prefix, pump, suffix };
    for (const first of words)
      for (const second of all) if (first !== second) yield { prefix: "", pump: first + second, suffix };
  }
}

/** The literal words of an expression and the characters that its classes name. */
function wordsOf(source: string): string[] {
  const plain = source
    .replace(/\\[dDsSwWbBpP](?:\{[^}]*\})?/g, "\u0001")
    .replace(/\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})/g, (_all, two?: string, four?: string) =>
      String.fromCharCode(parseInt(two ?? four ?? "0", 16)),
    )
    .replace(/\\([nrtvf0])/g, (_all, name: string) => controls[name] ?? name)
    .replace(/\\(.)/gs, "$1");
  const words = source
    .replace(/\\./gs, "\u0001")
    .split(/[^A-Za-z0-9_ ]+/)
    .filter((word) => word.length > 1 && word.length < 20);
  return [...new Set([...words, ...Array.from(plain).filter((char) => char !== "\u0001")])].slice(0, 14);
}

const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", v: "\v", f: "\f", "0": "\0" };
