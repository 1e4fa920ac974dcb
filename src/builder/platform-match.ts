import { type Platform, normalizePlatform } from "./platform.js";

/** Says whether platforms will do, and which of two is better. */
export interface PlatformMatcher {
  matches(platform: Platform): boolean;
  /** Negative when `a` is the better match, positive when `b` is, 0 when neither. */
  compare(a: Platform, b: Platform): number;
}

/** Matches this platform alone, in any of its spellings (containerd platforms.OnlyStrict). */
export function onlyStrict(platform: Platform): PlatformMatcher {
  return ordered([normalizePlatform(platform)]);
}

/**
 * Matches this platform and those it can run as well, the nearest first: `arm/v7` also `arm/v6`, `arm64` also
 * `arm/v8` and below, `amd64` also `386` (containerd platforms.Only).
 */
export function only(platform: Platform): PlatformMatcher {
  return ordered(compatible(normalizePlatform(platform)));
}

function ordered(wanted: readonly Platform[]): PlatformMatcher {
  const rank = (platform: Platform) => {
    const normal = normalizePlatform(platform);
    const index = wanted.findIndex((candidate) => satisfies(candidate, normal));
    return index < 0 ? wanted.length : index;
  };
  const features = ({ osFeatures = [] }: Platform) => osFeatures.length;
  return {
    matches: (platform) => rank(platform) < wanted.length,
    compare: (a, b) => rank(a) - rank(b) || (rank(a) < wanted.length ? features(b) - features(a) : 0),
  };
}

/** `platform` is what is wanted; its features are among the wanted ones. Both are normalised. */
function satisfies(wanted: Platform, platform: Platform): boolean {
  return (
    wanted.os === platform.os &&
    wanted.architecture === platform.architecture &&
    (wanted.variant ?? "") === (platform.variant ?? "") &&
    (platform.osFeatures ?? []).every((feature) => wanted.osFeatures?.includes(feature)) &&
    (wanted.os !== "windows" || sameWindows(wanted.osVersion, platform.osVersion))
  );
}

/** Windows images run on hosts of the same build (containerd windowsVersionMatcher, before Server 2022's relaxed rule). */
function sameWindows(wanted = "", given = ""): boolean {
  const build = (version: string) => version.split(".").slice(0, 3).join(".");
  return wanted === "" || given === "" || build(wanted) === build(given);
}

function compatible(platform: Platform): Platform[] {
  const { architecture, variant, ...rest } = platform;
  const version = Number(/^v(\d+)$/.exec(variant ?? "")?.[1] ?? Number.NaN);
  const down = (from: number, to: number): Platform[] =>
    Array.from({ length: Math.max(0, from - to) }, (_, index) => ({
      ...rest,
      architecture,
      variant: `v${from - 1 - index}`,
    }));
  switch (architecture) {
    case "amd64":
      return [platform, ...(version > 1 ? down(version, 1) : []), { ...rest, architecture: "386" }].map(
        normalizePlatform,
      );
    case "arm":
      return [platform, ...(version > 5 ? down(version, 5) : [])];
    case "arm64": {
      const versions = arm64Versions(platform);
      if (versions.length === 0) return [];
      return [...versions, ...compatible({ ...rest, architecture: "arm", variant: armOf(variant) })];
    }
    default:
      return [platform];
  }
}

/** Every arm64/v8.x and v9.x machine runs 32-bit arm/v8. */
function armOf(variant = "v8"): string {
  return /^v[89]/.test(variant) ? "v8" : variant;
}

/** v8.y runs v8.0 to v8.y; v9.y runs v9.0 to v9.y and v8.0 to v8.(y+5). None for a version that is not known. */
function arm64Versions({ variant = "v8", ...rest }: Platform): Platform[] {
  const match = /^v([89])(?:\.(\d))?$/.exec(variant);
  if (!match || (match[1] === "9" && Number(match[2] ?? 0) > 7)) return [];
  const minor = Number(match[2] ?? 0);
  const versions = (major: number, from: number) =>
    Array.from({ length: from + 1 }, (_, index) => {
      const lower = from - index;
      return normalizePlatform({ ...rest, variant: lower === 0 ? `v${major}` : `v${major}.${lower}` });
    });
  return match[1] === "8"
    ? versions(8, minor)
    : [...versions(9, minor), ...versions(8, Math.min(9, minor + 5))];
}
