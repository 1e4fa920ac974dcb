import { InvalidArgumentError } from "../../core/index.js";
import type { AskGateway } from "../gateway-drive.js";

/** What daemons that know ProxyNetwork say of themselves (BK solver/pb/caps.go). */
const capability = "exec.meta.network.proxy";

/**
 * Refuses to build where the daemon would leave out the proxy without a word: before anything runs, by what it says of itself.
 *
 * @throws InvalidArgumentError that names the release to take
 */
export function requiringProxy(ask: AskGateway): AskGateway {
  return async (bridge, options) => {
    const { LLBCaps } = await bridge.ping({}, { signal: options.signal });
    if (!LLBCaps.some(({ ID, Enabled }) => ID === capability && Enabled))
      throw new InvalidArgumentError(
        "this BuildKit cannot watch what a build asks of the network: proxyNetwork (--network-log, --allow-hosts) needs v0.31 or later",
      );
    return ask(bridge, options);
  };
}
