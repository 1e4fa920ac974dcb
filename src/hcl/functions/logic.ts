import { equalValues } from "../equal-values.js";
import { boolType } from "../types.js";
import { type Value, boolValue, isTrue, numberOf, unknownValue } from "../value.js";
import { any, at, bool, define, dynamic, number, open } from "./define.js";

const bools = [bool("a", dynamic), bool("b", dynamic)];
const values = [any("a", open), any("b", open)];

export const not = define([bool("val", dynamic)], boolType, (args) => boolValue(!isTrue(at(args, 0))));
export const and = define(bools, boolType, ([a, b]) => boolValue(isTrue(a as Value) && isTrue(b as Value)));
export const or = define(bools, boolType, ([a, b]) => boolValue(isTrue(a as Value) || isTrue(b as Value)));

export const equal = define(values, boolType, (args) => equalValues(at(args, 0), at(args, 1)));
export const notEqual = define(values, boolType, (args) => {
  const same = equalValues(at(args, 0), at(args, 1));
  return same.isKnown ? boolValue(!isTrue(same)) : same;
});

export const greaterThan = comparison((order) => order > 0);
export const greaterThanOrEqual = comparison((order) => order >= 0);
export const lessThan = comparison((order) => order < 0);
export const lessThanOrEqual = comparison((order) => order <= 0);

function comparison(holds: (order: number) => boolean) {
  const flags = { allowUnknown: true, allowDynamic: true };
  return define([number("a", flags), number("b", flags)], boolType, (args) => {
    const [a, b] = [at(args, 0), at(args, 1)];
    if (!a.isKnown || !b.isKnown) return unknownValue(boolType);
    return boolValue(holds(numberOf(a).compare(numberOf(b))));
  });
}
