import { namedPipePath } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";

/** Where a buildkitd is, by its address. */
export type DaemonAddress =
  | { scheme: "unix" | "npipe"; path: string }
  | { scheme: "tcp"; host: string; port: number }
  /** `ssh://user@host:port/socket`: `buildctl dial-stdio` is run there. */
  | { scheme: "ssh" }
  /** A container in which `buildctl dial-stdio` is run, on the engine of a docker context, or on the current one. */
  | { scheme: "container"; container: string; context?: string }
  /** A pod in which `buildctl dial-stdio` is run; `context` is one of the kubeconfig. */
  | { scheme: "kube-pod"; pod: string; context?: string; namespace?: string; container?: string };

const expected =
  "unix:///path, tcp://host:port, ssh://[user@]host[:port][/socket], docker-container://name, kube-pod://name or npipe:////./pipe/name";

const podParameters: ReadonlySet<string> = new Set(["context", "namespace", "container"]);
const kubernetesName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/**
 * Takes apart a daemon's address: buildx's forms (driver/remote/util), and `podman-container://` for the container of a podman engine.
 *
 * @throws InvalidArgumentError for another form.
 */
export function parseDaemonAddress(address: string): DaemonAddress {
  const invalid: Invalid = (why = "") =>
    new InvalidArgumentError(`invalid address ${JSON.stringify(address)}${why}, expecting ${expected}`);
  const [, scheme = "", rest = ""] = /^([a-z-]+):\/\/(.*)$/s.exec(address) ?? [];
  switch (scheme) {
    case "unix":
      if (!rest.startsWith("/") || rest.includes("\0")) throw invalid();
      return { scheme, path: rest };
    case "npipe": {
      const path = namedPipePath(rest);
      if (path === undefined) throw invalid();
      return { scheme, path };
    }
    case "tcp":
      return parseTcp(address, invalid);
    case "ssh":
      return { scheme };
    case "docker-container":
    case "podman-container":
      return parseContainer(rest, invalid);
    case "kube-pod":
      return parsePod(rest, invalid);
    default:
      throw new InvalidArgumentError(
        `unrecognized url scheme ${scheme || JSON.stringify(address)}, expecting ${expected}`,
      );
  }
}

/** Makes the error of an address. */
type Invalid = (why?: string) => Error;

function parseTcp(address: string, invalid: Invalid): DaemonAddress {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || url.hostname === "" || url.port === "" || url.username || !isBare(url)) throw invalid();
  return { scheme: "tcp", host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) };
}

function parseContainer(rest: string, invalid: Invalid): DaemonAddress {
  const [container = "", query = ""] = rest.split("?", 2);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(container)) throw invalid(": the container's name is malformed");
  const parameters = new URLSearchParams(query);
  const context = parameters.get("context");
  parameters.delete("context");
  if (parameters.size > 0) throw invalid(`: unknown parameter ${JSON.stringify([...parameters.keys()][0])}`);
  return { scheme: "container", container, ...(context && { context }) };
}

/** As BuildKit's connhelper/kubepod has it; an empty parameter says nothing. */
function parsePod(rest: string, invalid: Invalid): DaemonAddress {
  const [name = "", query = ""] = rest.split("?", 2);
  const pod = name.replace(/\/$/, "");
  if (!kubernetesName.test(pod)) throw invalid(": the pod's name is malformed");
  const parsed: Record<string, string> = {};
  for (const [parameter, value] of new URLSearchParams(query)) {
    if (!podParameters.has(parameter)) throw invalid(`: unknown parameter ${JSON.stringify(parameter)}`);
    if (parameter !== "context" && value !== "" && !kubernetesName.test(value))
      throw invalid(`: the ${parameter}'s name is malformed`);
    if (value !== "") parsed[parameter] = value;
  }
  return { scheme: "kube-pod", pod, ...parsed };
}

function isBare({ pathname, search, hash }: URL): boolean {
  return (pathname === "" || pathname === "/") && search === "" && hash === "";
}
