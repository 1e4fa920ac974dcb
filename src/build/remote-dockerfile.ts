import { InvalidArgumentError } from "../core/index.js";
import { BuildError } from "./build-error.js";
import { withoutCredentials } from "./git-info.js";
import { type InternalSolve, internalSolve } from "./internal-solve.js";
import { sourceGraph } from "./source-graph.js";

/** Largest Dockerfile fetched, in bytes (buildx v0.36 build/url.go). */
const largestDockerfile = 2 << 20;

const name = "Dockerfile";

/**
 * Lets the builder fetch a Dockerfile from an http(s) URL, with its network and its cache, in a build of its own
 * (buildx v0.36 build/url.go).
 *
 * @throws BuildError that names the URL when it cannot be fetched; InvalidArgumentError for one above 2 MiB.
 */
export async function fetchDockerfile(
  url: string,
  options: Pick<InternalSolve, "client" | "sourcePolicy" | "policySession" | "needs" | "sink" | "signal">,
): Promise<Uint8Array> {
  const shown = withoutCredentials(url);
  let content: Uint8Array | undefined;
  const solving = internalSolve({
    ...options,
    async ask(bridge, callOptions) {
      const Definition = sourceGraph({
        identifier: url,
        attrs: { "http.filename": name },
        caps: ["source.http"],
        name: `load ${shown}`,
      });
      const { result } = await bridge.solve(
        { Definition, allowResultReturn: true, allowResultArrayRef: true },
        callOptions,
      );
      const ref = result?.result;
      const Ref = ref?.case === "ref" ? ref.value.id : "";
      const { stat } = await bridge.statFile({ Ref, Path: name }, callOptions);
      if ((stat?.size ?? 0n) > BigInt(largestDockerfile))
        throw new InvalidArgumentError(`Dockerfile ${shown} bigger than allowed max size (2MB)`);
      content = (await bridge.readFile({ Ref, FilePath: name }, callOptions)).Data;
      return undefined;
    },
  });
  await solving.catch((error: unknown) => {
    if (!(error instanceof BuildError)) throw error;
    const { grpcCode, step, sources, message } = error;
    const text = `failed to fetch the Dockerfile ${shown}: ${message.replace(/^failed to solve: /, "")}`;
    throw new BuildError(text, { grpcCode, step, sources: [...sources], cause: error });
  });
  return content ?? new Uint8Array();
}
