import { version } from "../cli/index.js";

/** The docker whose words, formats and exit codes are offered: what tools read, and compare with what they need. */
export const offeredDocker = "28.2.2";

/** The newest API of the engine that is spoken. */
export { maximumApiVersion } from "../engine-api/index.js";

/** Stands where docker has the commit that it was built from. */
export const build = `slipway-${version.text}`;

/** What `docker --version` prints. */
export const versionLine = `Docker version ${offeredDocker}, build ${build}\n`;
