import { InvalidArgumentError } from "../../core/index.js";
import type { AskGateway } from "../gateway-drive.js";
import { policyTooOld } from "../policy/policy-too-old.js";

/** What daemons that know ProxyNetwork and SourcePolicySession say of themselves (BK solver/pb/caps.go). */
const capabilities = {
  proxy: "exec.meta.network.proxy",
  policySession: "source.policy.session",
};

/**
 * Refuses to build where the daemon would leave out the proxy, or would not ask about sources, without a word: before anything
 * runs, by what it says of itself.
 *
 * @throws InvalidArgumentError that names the release to take
 */
export function requiring(
  needs: Readonly<Record<keyof typeof capabilities, boolean>>,
  ask: AskGateway,
): AskGateway {
  return async (bridge, options) => {
    const { LLBCaps } = await bridge.ping({}, { signal: options.signal });
    const has = (id: string) => LLBCaps.some(({ ID, Enabled }) => ID === id && Enabled);
    if (needs.proxy && !has(capabilities.proxy))
      throw new InvalidArgumentError(
        "this BuildKit cannot watch what a build asks of the network: proxyNetwork (--network-log, --allow-hosts) needs v0.31 or later",
      );
    if (needs.policySession && !has(capabilities.policySession)) throw policyTooOld();
    return ask(bridge, options);
  };
}
