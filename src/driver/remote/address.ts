import { InvalidArgumentError } from "../../core/index.js";

/** Where a buildkitd is, by its address. */
export type DaemonAddress =
  | { scheme: "unix" | "npipe"; path: string }
  | { scheme: "tcp"; host: string; port: number }
  /** `ssh://user@host:port/socket`: `buildctl dial-stdio` is run there. */
  | { scheme: "ssh" }
  /** A container in which `buildctl dial-stdio` is run, on the engine of a docker context, or on the current one. */
  | { scheme: "container"; container: string; context?: string };

const expected =
  "unix:///path, tcp://host:port, ssh://[user@]host[:port][/socket], docker-container://name or npipe:////./pipe/name";

/**
 * Takes apart a daemon's address: buildx's forms (driver/remote/util), and `podman-container://` for the container of a podman engine.
 *
 * @throws InvalidArgumentError for another form.
 */
export function parseDaemonAddress(address: string): DaemonAddress {
  const invalid = (why = "") =>
    new InvalidArgumentError(`invalid address ${JSON.stringify(address)}${why}, expecting ${expected}`);
  const [, scheme = "", rest = ""] = /^([a-z-]+):\/\/(.*)$/s.exec(address) ?? [];
  switch (scheme) {
    case "unix":
      if (!rest.startsWith("/") || rest.includes("\0")) throw invalid();
      return { scheme, path: rest };
    case "npipe":
      if (!/^\/{2,}\.\/pipe\/[^/]/.test(rest)) throw invalid();
      return { scheme, path: rest.replaceAll("/", "\\") };
    case "tcp": {
      const url = URL.canParse(address) ? new URL(address) : undefined;
      if (!url || url.hostname === "" || url.port === "" || url.username || !isBare(url)) throw invalid();
      return { scheme, host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) };
    }
    case "ssh":
      return { scheme };
    case "docker-container":
    case "podman-container": {
      const [container = "", query = ""] = rest.split("?", 2);
      if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(container))
        throw invalid(": the container's name is malformed");
      const parameters = new URLSearchParams(query);
      const context = parameters.get("context");
      parameters.delete("context");
      if (parameters.size > 0)
        throw invalid(`: unknown parameter ${JSON.stringify([...parameters.keys()][0])}`);
      return { scheme: "container", container, ...(context && { context }) };
    }
    case "kube-pod":
      throw new InvalidArgumentError(
        `${address}: slipway does not reach into pods yet; forward the daemon's port and use tcp://host:port`,
      );
    default:
      throw new InvalidArgumentError(
        `unrecognized url scheme ${scheme || JSON.stringify(address)}, expecting ${expected}`,
      );
  }
}

function isBare({ pathname, search, hash }: URL): boolean {
  return (pathname === "" || pathname === "/") && search === "" && hash === "";
}
