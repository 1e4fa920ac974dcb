import { parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";

/** A whole number (Go's strconv.Atoi). @throws InvalidArgumentError */
export function readNumber(text: string): number {
  if (!/^[-+]?\d{1,15}$/.test(text))
    throw new InvalidArgumentError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** A number that may be broken. @throws InvalidArgumentError */
export function readDecimal(text: string): number {
  if (!/^\d{1,9}(?:\.\d{1,9})?$/.test(text))
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no number`);
  return Number(text);
}

/** A switch that can be turned off by `=false`. @throws InvalidArgumentError */
export function readSwitch(text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined)
    throw new InvalidArgumentError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}
