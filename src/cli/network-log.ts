import { InvalidArgumentError, type NetworkReport } from "../core/index.js";
import { prepareResultFile } from "../fs/index.js";
import type { BuildRecord } from "./build-report.js";
import type { CliContext } from "./cli-context.js";

/**
 * Prepares `--network-log`: what a build asked of the network, as JSON; also of one that failed, and empty of one that asked nothing.
 *
 * @throws FileWriteError that names the file; InvalidArgumentError for an empty path, since a log that is asked for is not left out
 */
export async function prepareNetworkLog(path: string, { signal }: CliContext): Promise<BuildRecord> {
  if (path === "")
    throw new InvalidArgumentError(
      "a network log is written to a file: give --network-log a path, such as network.json",
    );
  const file = await prepareResultFile(path, "network log");
  const all: NetworkReport = { requests: [], left: 0, cachedSteps: [] };
  return {
    // One a node.
    collector(event) {
      if (event.type !== "network") return;
      all.requests.push(...event.requests);
      all.left += event.left;
      all.cachedSteps.push(...event.cachedSteps);
    },
    write: () => file.write(`${JSON.stringify(all, undefined, 2)}\n`, signal),
  };
}
