import { basename, dirname } from "node:path/posix";
import type { BuildkitClient, pb, sourcepolicy } from "../buildkit/index.js";
import type { EventSink } from "../core/index.js";
import { type Attachable, fileSync } from "../session/index.js";
import { withoutCredentials } from "./git-info.js";
import { type InternalSolve, internalSolve } from "./internal-solve.js";
import { memoryDir } from "./memory-dir.js";
import { unsupported } from "./parse/policy.js";
import { hasGitQuery, isGitUrl } from "./remote-url.js";
import { copyOp, graphOf, sourceOp } from "./source-graph.js";

/** Where buildx looks for a policy inside of a remote context. */
export interface RemotePolicy {
  /** Address of the context. */
  url: string;
  /** Path in it. */
  path: string;
  /** The context as the builder is to fetch it, where that is not left to the frontend. */
  graph?: pb.Definition;
}

/** Options of {@link refuseRemotePolicy}. */
export interface RemotePolicyOptions {
  client: BuildkitClient;
  /** What fetching the context may need: credentials, secrets, ssh agents. */
  attachables: readonly Attachable[];
  /** May put another source in the place of the context. */
  sourcePolicy: sourcepolicy.Policy | undefined;
  /** Decides on what is fetched. */
  policySession?: Attachable;
  needs?: Exclude<InternalSolve["needs"], undefined>;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/** Name of the context in the Dockerfile by which it is looked at; the frontend knows every form of a git address. */
const contextName = "slipway-policy-context";

/**
 * Lets the builder fetch a remote context, in a build of its own, and looks there for the policy that buildx would apply
 * (buildx v0.38 build/opt.go). Rego is not evaluated here, so a build that has a policy is refused rather than built without it;
 * so is one whose context cannot be looked at.
 *
 * @throws InvalidArgumentError that names the policy; BuildError when the context cannot be fetched.
 */
export async function refuseRemotePolicy(policy: RemotePolicy, options: RemotePolicyOptions): Promise<void> {
  const { attachables, ...more } = options;
  const caps = [
    "moby.buildkit.frontend.contexts+forward",
    ...(hasGitQuery(policy.url) ? ["moby.buildkit.frontend.gitquerystring+forward"] : []),
  ];
  let isThere = false;
  await internalSolve({
    ...more,
    attachables: [
      ...attachables,
      fileSync(new Map([["dockerfile", memoryDir({ Dockerfile: `FROM ${contextName}\n` })]]), {}),
    ],
    async ask(bridge, callOptions) {
      const graph = policy.graph ?? (isGitUrl(policy.url) ? undefined : unpackedArchive(policy.url));
      const context = graph
        ? { Definition: graph }
        : {
            Frontend: "dockerfile.v0",
            FrontendOpt: {
              filename: "Dockerfile",
              [`context:${contextName}`]: policy.url,
              "frontend.caps": caps.join(","),
            },
          };
      const { result } = await bridge.solve(
        { ...context, allowResultReturn: true, allowResultArrayRef: true },
        callOptions,
      );
      const Ref = result?.result.case === "ref" ? result.result.value.id : "";
      const has = async (DirPath: string, name: string) => {
        const IncludePattern = name.replace(/[\\*?[\]^-]/g, "\\$&");
        const { entries } = await bridge.readDir({ Ref, DirPath, IncludePattern }, callOptions);
        return entries.some(({ path }) => basename(Buffer.from(path).toString()) === name);
      };
      isThere = await hasPath(policy.path, has);
      return undefined;
    },
  });
  if (isThere)
    throw unsupported(
      `the policy ${policy.path} in the context ${withoutCredentials(policy.url)}, which buildx would apply to this build`,
    );
}

/** Directory by directory: looking into one that is not there is an error of the builder's like any other. */
async function hasPath(
  path: string,
  has: (directory: string, name: string) => Promise<boolean>,
): Promise<boolean> {
  const parts = `${dirname(path)}/${basename(path)}`.split("/").filter((part) => part !== "" && part !== ".");
  let directory = "/";
  for (const part of parts) {
    if (part !== ".." && !(await has(directory, part))) return false;
    directory = part === ".." ? dirname(directory) : `${directory === "/" ? "" : directory}/${part}`;
  }
  return true;
}

/** The graph of an http source that is unpacked when it is an archive (buildx v0.38 resolveRemotePolicyContextState). */
function unpackedArchive(url: string): pb.Definition {
  const name = "context";
  const shown = withoutCredentials(url);
  const attrs = { "http.filename": name };
  const source = sourceOp({ identifier: url, attrs, caps: ["source.http"], name: `load ${shown}` });
  const unpacked = {
    from: source,
    src: `/${name}`,
    takes: "archive",
    name: `[internal] unpack ${shown}`,
  } as const;
  return graphOf([source, copyOp(unpacked)]);
}
