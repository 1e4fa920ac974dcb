import { namedPipePath } from "../config/index.js";
import { InvalidArgumentError, messageOf, percentDecode, trimTrailing } from "../core/index.js";

/** Where an engine listens, taken apart. */
export type Endpoint =
  | { kind: "unix"; path: string }
  | { kind: "npipe"; path: string }
  | { kind: "tcp"; host: string; port: number; prefix: string; tls: boolean }
  | SshEndpoint;

/** An engine behind `ssh`, reached by running `docker system dial-stdio` on the other side. */
export interface SshEndpoint {
  kind: "ssh";
  host: string;
  user?: string;
  port?: number;
  /** The engine's socket on the other machine, when it is not the default one. */
  socket?: string;
}

/**
 * Takes apart `unix://…`, `npipe://…`, `tcp://host:port` (also `http://`, `https://`) and `ssh://user@host:port/socket`.
 * With `tls` a tcp endpoint speaks TLS and its default port is 2376 instead of 2375.
 *
 * @throws InvalidArgumentError for other schemes, and for ssh hosts and users that `ssh` could take for an option.
 */
export function parseEndpoint(host: string, options: { tls: boolean }): Endpoint {
  const match = /^([a-z]+):\/\/(.*)$/s.exec(host);
  const [, scheme = "", rest = ""] = match ?? [];
  switch (scheme) {
    case "unix":
      if (rest === "" || /[\0\r\n]/.test(rest)) throw invalid(host, "the path is missing or malformed");
      return { kind: "unix", path: rest };
    case "npipe": {
      const path = namedPipePath(rest);
      if (path === undefined) throw invalid(host, "expected a pipe such as npipe:////./pipe/docker_engine");
      return { kind: "npipe", path };
    }
    case "tcp":
    case "http":
    case "https":
      return tcpEndpoint(host, rest, options.tls || scheme === "https");
    case "ssh":
      return sshEndpoint(host);
    default:
      throw invalid(host, "the scheme must be unix, tcp, ssh or npipe");
  }
}

function tcpEndpoint(host: string, rest: string, tls: boolean): Endpoint {
  const match = /^(\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?(\/[A-Za-z0-9._~/-]*)?$/.exec(rest);
  if (!match?.[1]) throw invalid(host, "expected host:port");
  const port = Number(match[2] ?? (tls ? 2376 : 2375));
  if (port < 1 || port > 65_535) throw invalid(host, "the port is out of range");
  const prefix = trimTrailing(match[3] ?? "", "/");
  if (prefix.split("/").some((part) => part === "." || part === ".."))
    throw invalid(host, "the path must not contain dots alone");
  return { kind: "tcp", host: match[1].replace(/^\[|\]$/g, ""), port, prefix, tls };
}

// Only a narrow set of characters reaches ssh and the remote shell, so that neither can take them for an option or a
// command (docker/cli connhelper/ssh, CVE-2017-1000117 of its kind).
function sshEndpoint(host: string): SshEndpoint {
  let url: URL;
  try {
    url = new URL(host);
  } catch (error) {
    throw invalid(host, "not a URL", error);
  }
  if (url.password) throw invalid(host, "plain-text passwords are not supported");
  if (url.search || url.hash) throw invalid(host, "no query and no fragment is allowed");
  const name = url.hostname.replace(/^\[|\]$/g, "");
  if (!/^[A-Za-z0-9_:][A-Za-z0-9._:-]*$/.test(name)) throw invalid(host, "the host name is malformed");
  const user = decode(host, url.username);
  if (user && !/^[A-Za-z0-9_][A-Za-z0-9._@\\-]*$/.test(user))
    throw invalid(host, "the user name is malformed");
  const socket = trimTrailing(decode(host, url.pathname), "/");
  if (socket && !/^\/[A-Za-z0-9._/@+:-]*$/.test(socket)) throw invalid(host, "the socket path is malformed");
  return {
    kind: "ssh",
    host: name,
    ...(user && { user }),
    ...(url.port && { port: Number(url.port) }),
    ...(socket && { socket }),
  };
}

function decode(host: string, text: string): string {
  try {
    return percentDecode(text);
  } catch (error) {
    throw invalid(host, messageOf(error), error);
  }
}

function invalid(host: string, why: string, cause?: unknown): InvalidArgumentError {
  const shown = host.replace(/:[^:@/]*@/, ":…@");
  return new InvalidArgumentError(`invalid docker host ${JSON.stringify(shown)}: ${why}`, { cause });
}
