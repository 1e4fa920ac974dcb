import { CtyError } from "../cty-error.js";
import { boolType } from "../types.js";
import { boolValue, textOf } from "../value.js";
import { at, define, text } from "./define.js";

interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: string;
}

interface Constraint {
  readonly operator: string;
  readonly version: Version;
  /** The parts that are given as a wildcard, or not at all: from the first, the second or the third on. */
  readonly open: 0 | 1 | 2 | undefined;
}

const wild = "v?([0-9|xX*]+)(\\.[0-9|xX*]+)?(\\.[0-9|xX*]+)?(-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?"; // prettier-ignore
const operators = "=|!=|>=|=>|<=|=<|>|<|~>|~|\\^|";
const one = new RegExp(`^\\s*(${operators})\\s*${wild}\\s*$`);
const each = new RegExp(`(?:${operators})\\s*${wild}`, "g");
const all = new RegExp(
  `^\\s*(?:${operators})\\s*${wild}\\s*(?:(?:\\s+|,\\s*)(?:${operators})\\s*${wild}\\s*)*$`,
);
const hyphen = new RegExp(`\\s*(${wild})\\s+-\\s+(${wild})\\s*`, "g");

const longestConstraint = 256;

/** Whether a version satisfies a constraint, as `>= 1.2, < 2 || ^3`. Masterminds/semver 3.4. */
export const semverCompare = define([text("version"), text("contraint")], boolType, (args) => {
  const version = versionOf(textOf(at(args, 0)));
  const given = textOf(at(args, 1));
  // The expressions above try again from each place of a long run, and each way to share blanks out.
  if (given.length > longestConstraint) throw new CtyError(`improper constraint: ${given.slice(0, 64)}…`);
  const source = given
    .replace(/\s+/g, " ")
    .replaceAll(hyphen, (_, ...groups: string[]) => `>= ${groups[0]}, <= ${groups[5]} `);
  const alternatives = source.split("||").map((alternative) => {
    if (!all.test(alternative)) throw new CtyError(`improper constraint: ${alternative}`);
    return (alternative.match(each) ?? [alternative]).map(constraintOf);
  });
  return boolValue(
    alternatives.some((constraints) => {
      const withPre = constraints.some(({ version: { pre } }) => pre !== "");
      return constraints.every(
        (constraint) => (version.pre === "" || withPre) && satisfies(version, constraint),
      );
    }),
  );
});

function versionOf(given: string): Version {
  const found = /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/.exec(given); // prettier-ignore
  if (!found) throw new CtyError("invalid semantic version");
  return { numbers: [Number(found[1]), Number(found[2] ?? 0), Number(found[3] ?? 0)], pre: found[4] ?? "" };
}

function constraintOf(given: string): Constraint {
  const [, operator, ...parts] = one.exec(given) ?? [];
  if (operator === undefined) throw new CtyError(`improper constraint: ${given}`);
  const numbers = parts.slice(0, 3).map((part) => (part ?? "").replace(/^\./, ""));
  const first = numbers.findIndex((part) => part === "" || /^[xX*]$/.test(part));
  const known = numbers.map((part, position) => (first >= 0 && position >= first ? 0 : Number(part)));
  if (known.some(Number.isNaN)) throw new CtyError("constraint parser error");
  return {
    operator,
    version: { numbers: known as [number, number, number], pre: (parts[3] ?? "").replace(/^-/, "") },
    open: first < 0 ? undefined : (first as 0 | 1 | 2),
  };
}

/** A version beside a constraint. */
interface Compared extends Constraint {
  readonly given: Version;
  /** Below, at or above what is wanted. */
  readonly order: number;
  /** Whether so many of the first numbers are the same. */
  readonly same: (count: number) => boolean;
}

function satisfies(given: Version, constraint: Constraint): boolean {
  const { version } = constraint;
  const same = (count: number) =>
    given.numbers.slice(0, count).every((number, position) => number === version.numbers[position]);
  const test = tests.get(constraint.operator) ?? isNear;
  return test({ ...constraint, given, order: compare(given, version), same });
}

/** What operators mean; those that are not here mean the same as `~`. */
const tests = new Map<string, (one: Compared) => boolean>([
  ["", isEqual],
  ["=", isEqual],
  ["!=", isOther],
  [">", isAbove],
  ["<", ({ order }) => order < 0],
  [">=", ({ order }) => order >= 0],
  ["=>", ({ order }) => order >= 0],
  ["<=", isUpTo],
  ["=<", isUpTo],
  ["^", isCompatible],
]);

function isEqual(one: Compared): boolean {
  return one.open === undefined ? one.order === 0 : isNear(one);
}

function isOther({ open, order, same, given, version }: Compared): boolean {
  if (open === undefined) return order !== 0;
  if (!same(1)) return true;
  if (open === 1) return false;
  return !same(2) || (open === 2 ? comparePre(given.pre, version.pre) !== 0 : !same(3));
}

function isAbove({ open, order, same, given, version }: Compared): boolean {
  if (open === undefined) return order > 0;
  if (!same(1)) return given.numbers[0] > version.numbers[0];
  if (open === 1) return false;
  return open === 2 ? given.numbers[1] > version.numbers[1] : order > 0;
}

function isUpTo({ open, order, same, given, version }: Compared): boolean {
  if (open === undefined) return order <= 0;
  if (!same(1)) return given.numbers[0] < version.numbers[0];
  return open === 1 || given.numbers[1] <= version.numbers[1];
}

/** `^`: nothing has changed that counts as breaking; below 1 that is the first number that is not 0. */
function isCompatible({ open, order, same, given, version }: Compared): boolean {
  if (order < 0) return false;
  if (version.numbers[0] > 0 || open === 1) return same(1);
  if (given.numbers[0] > 0) return false;
  return version.numbers[1] > 0 || open === 2 ? same(2) : same(3);
}

/** `~`: the last number may be higher. */
function isNear({ open, order, same, version }: Compared): boolean {
  if (order < 0) return false;
  const isAny = version.numbers.every((number) => number === 0) && open !== 1 && open !== 2;
  return isAny || same(open === 1 ? 1 : 2);
}

function compare(a: Version, b: Version): number {
  for (const [position, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[position] as number);
    if (difference !== 0) return difference;
  }
  if (a.pre === b.pre) return 0;
  if (a.pre === "" || b.pre === "") return a.pre === "" ? 1 : -1;
  return comparePre(a.pre, b.pre);
}

function comparePre(a: string, b: string): number {
  const [left, right] = [a.split("."), b.split(".")];
  for (let position = 0; position < Math.max(left.length, right.length); position++) {
    const [x, y] = [left[position] ?? "", right[position] ?? ""];
    if (x === y) continue;
    if (x === "" || y === "") return x === "" ? -1 : 1;
    const [isX, isY] = [/^[0-9]+$/.test(x), /^[0-9]+$/.test(y)];
    if (isX && isY) return Number(x) - Number(y);
    // As that library has it, which puts numbers behind words where one is a word.
    if (isX !== isY) return isX ? -1 : 1;
    return x > y ? 1 : -1;
  }
  return 0;
}
