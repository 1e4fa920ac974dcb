import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup } from "node:dns/promises";
import { BlockList, type LookupFunction, isIP } from "node:net";
import { callbackify } from "node:util";

/** Where an address is: for everybody, in a network of its own, on this machine, or nowhere that a server is. */
export type NetworkPlace = "public" | "private" | "this machine" | "special";

const ranges: [Exclude<NetworkPlace, "public">, string, number][] = [
  // RFC 1122, 4291: this host.
  ["this machine", "0.0.0.0", 8],
  ["this machine", "127.0.0.0", 8],
  ["this machine", "::", 127],
  // RFC 1918, 6598, 2544, 4193, 3879: networks that are not routed.
  ["private", "10.0.0.0", 8],
  ["private", "172.16.0.0", 12],
  ["private", "192.168.0.0", 16],
  ["private", "100.64.0.0", 10],
  ["private", "198.18.0.0", 15],
  ["private", "fc00::", 7],
  ["private", "fec0::", 10],
  // RFC 3927, 4291: this link, where clouds keep what a machine knows of itself. Multicast and reserved ones.
  ["special", "169.254.0.0", 16],
  ["special", "fe80::", 10],
  ["special", "224.0.0.0", 3],
  ["special", "ff00::", 8],
];

let lists: Map<NetworkPlace, BlockList> | undefined;

/** Made when first asked for: most builds ask no registry for a token, and Node compiles a pattern of some milliseconds for them. */
function blockLists(): Map<NetworkPlace, BlockList> {
  if (lists) return lists;
  lists = new Map();
  for (const [place, address, bits] of ranges) {
    const list = lists.get(place) ?? new BlockList();
    lists.set(place, list);
    list.addSubnet(address, bits, address.includes(":") ? "ipv6" : "ipv4");
  }
  return lists;
}

/** The place of an IP address; IPv6 may stand in brackets, and may hold one of IPv4 (RFC 4291 2.5.5, 6052, 3056). */
export function placeOf(address: string): NetworkPlace {
  const [bare = ""] = address.replace(/^\[(.*)\]$/, "$1").split("%", 1);
  const inner = isIP(bare) === 6 ? embeddedAddress(bare) : undefined;
  if (inner !== undefined) return placeOf(inner);
  for (const [place, list] of blockLists())
    if (list.check(bare, isIP(bare) === 6 ? "ipv6" : "ipv4")) return place;
  return "public";
}

/** The IPv4 address that one of IPv6 leads to: mapped, compatible, NAT64, 6to4. */
function embeddedAddress(address: string): string | undefined {
  // As URLs write it, without zeros and with the longest run of them as `::`.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((hex) => parseInt(hex, 16)));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const words =
    tail === undefined ? before : [...before, ...zeros(8 - before.length - after.length), ...after];
  const starts = (...first: number[]) => first.every((word, at) => words[at] === word);
  const dotted = (at: number) =>
    words
      .slice(at, at + 2)
      .flatMap((word) => [word >> 8, word & 0xff])
      .join(".");
  if (starts(0, 0, 0, 0, 0, 0xffff) || starts(0x64, 0xff9b, 0, 0, 0, 0)) return dotted(6);
  if (starts(0, 0, 0, 0, 0, 0) && (words[6] !== 0 || (words[7] ?? 0) > 1)) return dotted(6);
  return starts(0x2002) ? dotted(1) : undefined;
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

/** Finds the addresses of a host name. */
export type Resolve = (hostname: string) => Promise<string[]>;

/** All addresses of a host name, or the address that it is, as the system has them; none when it has none. */
export async function resolveAddresses(hostname: string): Promise<string[]> {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 0) return [bare];
  return await lookup(bare, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  );
}

/**
 * Whether a server of the same registry may be at an address: one that is for everybody, or in the kind of network that
 * the registry is in itself; on this machine only when the registry is.
 */
export function mayServe(registry: readonly string[], address: string): boolean {
  const place = placeOf(address);
  if (place === "public") return true;
  const places = new Set(registry.map(placeOf));
  return place === "private"
    ? places.has("private") || places.has("this machine")
    : place === "this machine" && places.has(place);
}

/**
 * A look-up for connections (`net.connect`) that fails where a name has an address that may not be connected to. What
 * was looked up is what is connected to, so that a name cannot change in between.
 */
export function guardedLookup(check: (addresses: string[]) => Promise<void>): LookupFunction {
  const find = callbackify(async (hostname: string, options: LookupOptions): Promise<LookupAddress[]> => {
    const found = await lookup(hostname, { ...options, all: true });
    await check(found.map(({ address }) => address));
    return found;
  });
  return (hostname, options, callback) => {
    find(hostname, options, (error, found) => {
      const [first] = found ?? [];
      if (error || options.all || !first) callback(error, found ?? []);
      else callback(null, first.address, first.family);
    });
  };
}
