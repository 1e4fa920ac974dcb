import {
  type BuildkitClient,
  type BuildkitVersionNumber,
  compareVersions,
  parseVersion,
} from "../buildkit/index.js";

/** Whether the daemon says which release it is. Those inside of engines, and builds from source, may not. */
export async function saysRelease(client: BuildkitClient, signal?: AbortSignal): Promise<boolean> {
  const { version: text } = await client.info({ signal });
  const version = text === undefined ? undefined : parseVersion(text);
  return version !== undefined && !(version.major === 0 && version.minor === 0);
}

/** True when the daemon is older than this release. Builds from source do not say how old they are; they are taken for new. */
export async function isOlderThan(
  client: BuildkitClient,
  release: Pick<BuildkitVersionNumber, "major" | "minor">,
  signal?: AbortSignal,
): Promise<boolean> {
  const { version: text } = await client.info({ signal });
  // Such a one cannot be asked, as in engines before 24.0.
  if (text === undefined) return true;
  const version = parseVersion(text);
  if (!version || (version.major === 0 && version.minor === 0)) return false;
  return compareVersions(version, { ...release, patch: 0, prerelease: "" }) < 0;
}
