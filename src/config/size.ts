import { InvalidArgumentError } from "../core/index.js";

const powers = ["k", "m", "g", "t", "p"];

/**
 * Bytes of a size as people write it: `128m`, `1.5 GiB`, `2KB`, `7b`, `512`. Units are of 1024 whatever their
 * spelling; fractions of a byte are cut off (docker/go-units `RAMInBytes`).
 *
 * @throws InvalidArgumentError `invalid size: '…'` or `invalid suffix: '…'`.
 */
export function parseSize(text: string): number {
  // Go splits behind the last digit, dot or space, before it looks at either half.
  let end = text.length;
  while (end > 0 && !"0123456789. ".includes(text.charAt(end - 1))) end--;
  const number = text.charAt(end - 1) === " " ? text.slice(0, end - 1) : text.slice(0, end);
  const suffix = text.slice(end).toLowerCase();
  if (!/^\+?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(number)) {
    throw new InvalidArgumentError(`invalid size: '${text}'`);
  }
  const power = suffix === "" || suffix === "b" ? 0 : 1 + powers.indexOf(suffix.charAt(0));
  if (suffix !== "" && suffix !== "b" && (power === 0 || !["", "b", "ib"].includes(suffix.slice(1)))) {
    throw new InvalidArgumentError(`invalid suffix: '${suffix}'`);
  }
  const bytes = Math.trunc(Number(number) * 1024 ** power);
  if (bytes >= 2 ** 63) throw new InvalidArgumentError(`invalid size: '${text}'`);
  return bytes;
}
