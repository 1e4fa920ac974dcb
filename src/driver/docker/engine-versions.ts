/** BuildKit's release in engines whose BuildKit cannot be asked for it yet (buildx driver/docker/version.go). */
const releases: readonly (readonly [engine: string, buildkit: string])[] = [
  ["18.09.", "v0.4+unknown"],
  ["19.03.", "v0.6+unknown"],
  ["20.10.", "v0.8+unknown"],
  ["22.06.", "v0.10+unknown"],
  ["23.0.", "v0.10+unknown"],
];

/** The version of the BuildKit in an engine, by the engine's own version; that one itself where it is newer than this is needed for. */
export function buildkitOfEngine(version: string): string {
  return releases.find(([engine]) => version.startsWith(engine))?.[1] ?? version.replace(/-moby$/, "");
}
