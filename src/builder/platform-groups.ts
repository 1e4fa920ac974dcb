import { type Platform, dedupePlatforms, formatPlatformFully, parsePlatform } from "./platform.js";

/** Platforms for `ls` and `inspect`: those the user configured first, marked with `*`, then what the node offers. */
export function formatInGroups(configured: readonly Platform[], offered: readonly Platform[]): string[] {
  const marked = dedupePlatforms(configured).map(formatPlatformFully);
  const rest = dedupePlatforms(offered)
    .map(formatPlatformFully)
    .filter((text) => !marked.includes(text));
  return [...marked.map((text) => `${text}*`), ...rest];
}

const majors = [
  "linux/amd64",
  "linux/arm64",
  "linux/arm",
  "linux/ppc64le",
  "linux/s390x",
  "linux/riscv64",
  "linux/mips64",
];

/** {@link formatInGroups} shortened to `max` architectures: `linux/amd64 (+2), linux/arm64, (3 more)` (buildx ls). */
export function truncatePlatforms(platforms: readonly string[], max = 4): string {
  const groups = new Map<string, string[]>();
  for (const text of platforms) {
    const group = groupOf(text);
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), text]);
  }
  const shown = majors.filter((name) => groups.has(name)).slice(0, max);
  // buildx stops gathering as soon as the last group has its first member.
  const lastMajor = shown.length === max ? shown[max - 1] : undefined;
  if (lastMajor !== undefined) groups.set(lastMajor, (groups.get(lastMajor) ?? []).slice(0, 1));
  const others = [...groups.keys()].filter((name) => !majors.includes(name)).sort();
  shown.push(...others.slice(0, max - shown.length));
  const counted = shown.map((name) => groups.get(name) ?? []);
  const left = platforms.length - counted.reduce((sum, group) => sum + group.length, 0);
  const texts = counted.map((group, index) => {
    if (group.length === 1) return group[0];
    const star = group.some((text) => text.endsWith("*")) ? "*" : "";
    return `${shown[index]}${star} (+${group.length})`;
  });
  return [...texts, ...(left > 0 ? [`(${left} more)`] : [])].join(", ");
}

/** System and architecture of a formatted platform. */
function groupOf(text: string): string | undefined {
  try {
    const { os, architecture } = parsePlatform(text.replace(/\*$/, ""));
    return `${os}/${architecture}`;
  } catch {
    return undefined; // a daemon may report what we cannot read: it is counted among the rest
  }
}
