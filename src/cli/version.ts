declare const SLIPWAY_VERSION: string | undefined;
declare const SLIPWAY_REVISION: string | undefined;

/** Version and revision of this program, put in when it is bundled (scripts/bundle.mjs). */
export const version = {
  text: typeof SLIPWAY_VERSION === "string" ? SLIPWAY_VERSION : "0.0.0-dev",
  revision: typeof SLIPWAY_REVISION === "string" ? SLIPWAY_REVISION : "",
};

/** Version of the buildx whose behaviour is offered; the one that the tests compare with (testbed/lib/common.sh). */
export const offeredBuildx = "0.38.2";

/** What `slipway version` prints: program, version and revision, as buildx does. */
export const versionLine = `slipway v${version.text} ${version.revision}\n`;

/** What `docker buildx version` prints: scripts take the second word for buildx's version and compare it. */
export const pluginVersionLine = `slipway v${offeredBuildx} v${version.text} ${version.revision}\n`;
