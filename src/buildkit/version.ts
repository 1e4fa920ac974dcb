import { SlipwayError } from "../core/index.js";

/** The oldest BuildKit that slipway talks to. */
export const oldestVersion = "v0.12.5";

/** A version as BuildKit writes it, taken apart. */
export interface BuildkitVersionNumber {
  major: number;
  minor: number;
  patch: number;
  /** `rc1` of `v0.12.0-rc1`; empty for a release. */
  prerelease: string;
}

/** The daemon is older than {@link oldestVersion}. `version` is empty when it is too old to say. */
export class BuildkitTooOldError extends SlipwayError {
  readonly version: string;
  readonly oldest: string = oldestVersion;

  constructor(version: string) {
    const what =
      version === ""
        ? "the builder runs a BuildKit older than v0.11"
        : `the builder runs BuildKit ${version}`;
    super("BUILDKIT_TOO_OLD", `${what}, slipway needs ${oldestVersion} or newer`);
    this.version = version;
  }
}

/** Takes `v0.32.2`, `0.12.0-rc1`, `v0.11.7+d3e6c1360f6e` apart; undefined for anything else, e.g. a commit. */
export function parseVersion(text: string): BuildkitVersionNumber | undefined {
  const match = /^v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text.trim());
  if (!match) return undefined;
  return {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3] ?? 0),
    prerelease: match[4] ?? "",
  };
}

/** Below 0 when `a` is older than `b`, 0 when they are the same, above when newer. A prerelease comes before its release. */
export function compareVersions(a: BuildkitVersionNumber, b: BuildkitVersionNumber): number {
  const numbers = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (numbers !== 0) return numbers;
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === "") return 1;
  if (b.prerelease === "") return -1;
  return a.prerelease < b.prerelease ? -1 : 1;
}

/**
 * Refuses a daemon older than {@link oldestVersion}. Builds from source (`v0.0.0-…`, a commit, nothing) pass: they do not
 * say how old they are. Pass undefined when the daemon does not know Control.Info, which came with v0.11.
 *
 * @throws BuildkitTooOldError
 */
export function requireSupportedVersion(version: string | undefined): void {
  if (version === undefined) throw new BuildkitTooOldError("");
  const parsed = parseVersion(version);
  if (!parsed || (parsed.major === 0 && parsed.minor === 0 && parsed.patch === 0)) return;
  const oldest = parseVersion(oldestVersion) as BuildkitVersionNumber;
  if (compareVersions(parsed, oldest) < 0) throw new BuildkitTooOldError(version);
}
