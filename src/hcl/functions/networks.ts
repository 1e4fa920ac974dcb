import { isIPv4, isIPv6 } from "node:net";
import { ArgumentError, CtyError } from "../cty-error.js";
import { listOf, stringType } from "../types.js";
import { type Value, listValue, textOf, textValue } from "../value.js";
import { at, define, number, text, variadic, wholeNumber } from "./define.js";

interface Network {
  readonly address: bigint;
  readonly length: number;
  /** Bits of an address: 32 or 128. */
  readonly bits: number;
}

export const cidrHost = define([text("prefix"), number("hostnum")], stringType, (args) => {
  const host = BigInt(wholeNumber(at(args, 1)));
  const network = networkOf(textOf(at(args, 0)));
  const last = (1n << BigInt(network.bits - network.length)) - 1n;
  if ((host < 0n ? -host - 1n : host) > last) {
    throw new CtyError(`prefix of ${network.length} does not accommodate a host numbered ${host}`);
  }
  return textValue(addressText(network.address | (host < 0n ? last + host + 1n : host), network.bits));
});

export const cidrNetmask = define([text("prefix")], stringType, (args) => {
  const { length, bits } = networkOf(textOf(at(args, 0)));
  return textValue(addressText(maskOf(length, bits), bits));
});

export const cidrSubnet = define(
  [text("prefix"), number("newbits"), number("netnum")],
  stringType,
  (args) => {
    const added = wholeNumber(at(args, 1));
    const which = wholeNumber(at(args, 2));
    const network = networkOf(textOf(at(args, 0)));
    if (added > 32) throw new CtyError("may not extend prefix by more than 32 bits");
    const length = network.length + added;
    if (length > network.bits) {
      throw new CtyError(`insufficient address space to extend prefix of ${network.length} by ${added}`);
    }
    if (added < 0 || which < 0 || which > 2 ** added - 1) {
      throw new CtyError(`prefix extension of ${added} does not accommodate a subnet numbered ${which}`);
    }
    const address = network.address | (BigInt(which) << BigInt(network.bits - length));
    return textValue(networkText({ ...network, address, length }));
  },
);

export const cidrSubnets = variadic(
  [text("prefix")],
  number("newbits"),
  listOf(stringType),
  ([prefix, ...added]) => {
    let network: Network;
    try {
      network = networkOf(textOf(prefix as Value));
    } catch (error) {
      throw new ArgumentError(0, (error as Error).message);
    }
    const end = network.address + (1n << BigInt(network.bits - network.length));
    let next = network.address;
    let previous: Network | undefined;
    const subnets = added.map((value, position) => {
      const refuse = (reason: string) => new ArgumentError(position + 1, reason);
      const more = wholeNumber(value);
      if (more < 1) throw refuse("must extend prefix by at least one bit");
      if (more > 32) throw refuse("may not extend prefix by more than 32 bits");
      const length = network.length + more;
      if (length > network.bits) {
        const family = network.bits === 32 ? "IPv4" : "IPv6";
        throw refuse(`would extend prefix to ${length} bits, which is too long for an ${family} address`);
      }
      const size = 1n << BigInt(network.bits - length);
      const address = ((next + size - 1n) / size) * size;
      if (address + size > end) {
        const after = previous ? networkText(previous) : networkText(network);
        throw refuse(
          `not enough remaining address space for a subnet with a prefix of ${length} bits after ${after}`,
        );
      }
      next = address + size;
      previous = { ...network, address, length };
      return textValue(networkText(previous));
    });
    return listValue(subnets, stringType);
  },
);

function networkOf(given: string): Network {
  const [, address = "", digits = ""] = /^([^/]*)\/(0|[1-9][0-9]*)$/.exec(given) ?? [];
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes("%") ? 128 : 0;
  const length = Number(digits);
  if (digits === "" || bits === 0 || length > bits) {
    throw new CtyError(`invalid CIDR expression: invalid CIDR address: ${given}`);
  }
  return { address: addressOf(address, bits) & maskOf(length, bits), length, bits };
}

function maskOf(length: number, bits: number): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(bits - length);
}

function addressOf(given: string, bits: number): bigint {
  if (bits === 32) return given.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const mapped = /^(.*:)([0-9]+\.[0-9.]+)$/.exec(given);
  const words = mapped ? `${mapped[1]}${pairs(addressOf(mapped[2] as string, 32))}` : given;
  const [head = "", tail] = words.split("::");
  const start = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - start.length - rest.length }, () => "0");
  return [...start, ...zeros, ...rest].reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n);
}

function pairs(address: bigint): string {
  return `${(address >> 16n).toString(16)}:${(address & 0xffffn).toString(16)}`;
}

function networkText({ address, length, bits }: Network): string {
  return `${addressText(address, bits)}/${length}`;
}

function addressText(address: bigint, bits: number): string {
  const parts = Array.from({ length: bits === 32 ? 4 : 8 }, (_, position) => {
    const size = bits === 32 ? 8 : 16;
    return (address >> BigInt(bits - size * (position + 1))) & BigInt(2 ** size - 1);
  });
  if (bits === 32) return parts.join(".");
  const words = parts.map((part) => part.toString(16)).join(":");
  // The first of the longest runs of zeros, of two and more, is left out.
  const runs = [...words.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)];
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (best && best[0].length >= run[0].length ? best : run),
    undefined,
  );
  if (!longest) return words;
  const before = words.slice(0, longest.index).replace(/:$/, "");
  const after = words.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}
