declare const SLIPWAY_VERSION: string | undefined;
declare const SLIPWAY_REVISION: string | undefined;

/** Version and revision of this program, put in when it is bundled (scripts/bundle.mjs). */
export const version = {
  text: typeof SLIPWAY_VERSION === "string" ? SLIPWAY_VERSION : "0.0.0-dev",
  revision: typeof SLIPWAY_REVISION === "string" ? SLIPWAY_REVISION : "",
};

/** What `slipway version` prints: package, version and revision, as buildx does. */
export const versionLine = `slipway ${version.text} ${version.revision}\n`;
