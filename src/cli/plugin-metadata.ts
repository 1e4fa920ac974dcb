import { version } from "./version.js";

/** The answer to docker's `docker-cli-plugin-metadata` (docker/cli cli-plugins/metadata). */
export const pluginMetadata = `${JSON.stringify({
  SchemaVersion: "0.1.0",
  Vendor: "slipway",
  Version: version.text,
  ShortDescription: "Extended build capabilities with BuildKit, without buildx (slipway)",
})}\n`;
