import { offeredBuildx } from "./version.js";

/** The answer to docker's `docker-cli-plugin-metadata` (docker/cli cli-plugins/metadata). */
export const pluginMetadata = `${JSON.stringify({
  SchemaVersion: "0.1.0",
  Vendor: "slipway",
  // Of the buildx whose place it takes: compose cuts off the `v` and asks for 0.17.0 at least (compose v2.40 build_bake.go).
  Version: `v${offeredBuildx}`,
  // docker info puts the vendor behind it in parentheses.
  ShortDescription: "Extended build capabilities with BuildKit, without buildx",
})}\n`;
