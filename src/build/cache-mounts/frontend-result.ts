import { type BuildkitError, type gateway } from "../../buildkit/index.js";
import { isSlipwayError } from "../../core/index.js";
import type { Gateway } from "../gateway-drive.js";
import { BuildGraph } from "./build-graph.js";

/** gRPC's code for what a server does not know. */
const unimplemented = 12;

/** The graphs of a result, one a platform. Frontends that build by themselves tell none. @throws SlipwayError `BUILDER_CLAIM` */
export function graphsOf(result: gateway.Result | undefined): BuildGraph[] {
  return refsOf(result).flatMap(({ def }) => (def ? [new BuildGraph(def)] : []));
}

/** Has a result made, all its parts at once. @throws BuildkitError of the step that failed */
export async function evaluate(
  result: gateway.Result | undefined,
  bridge: Gateway,
  signal: AbortSignal,
): Promise<void> {
  const made = await Promise.allSettled(
    refsOf(result).map(async ({ id: Ref }) => {
      if (Ref === "") return;
      try {
        await bridge.evaluate({ Ref }, { signal });
      } catch (error) {
        const isOld =
          isSlipwayError(error, "BUILDKIT_STATUS") && (error as BuildkitError).grpcCode === unimplemented;
        if (!isOld) throw error;
        await bridge.statFile({ Ref, Path: "." }, { signal });
      }
    }),
  );
  for (const one of made) if (one.status === "rejected") throw one.reason;
}

function refsOf(result: gateway.Result | undefined): gateway.Ref[] {
  const given = result?.result;
  if (given?.case === "ref") return [given.value];
  return given?.case === "refs" ? Object.values(given.value.refs) : [];
}
