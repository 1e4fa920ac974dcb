import { InvalidArgumentError } from "../core/index.js";

const windows = process.platform === "win32";
const defaultSocket = "/var/run/docker.sock";
const defaultPipe = "//./pipe/docker_engine";

/**
 * The daemon address that a user's host text stands for, with defaults filled in: `1.2.3.4` is
 * `tcp://1.2.3.4:2375`, `unix://` the default socket, empty the platform's default (with TLS
 * `tcp://localhost:2376`) (docker/cli opts `ParseHost`).
 *
 * @throws InvalidArgumentError naming the text.
 */
export function parseDockerHost(text: string, options: { tls?: boolean } = {}): string {
  const host = text.trim();
  if (host === "") {
    if (options.tls) return "tcp://localhost:2376";
    return windows ? `npipe://${defaultPipe}` : `unix://${defaultSocket}`;
  }
  const [protocol, rest] = host.includes("://") ? splitOnce(host, "://") : ["tcp", host];
  switch (protocol) {
    case "tcp":
      return tcpHost(host, rest);
    case "unix":
    case "npipe":
      if (rest.includes("://"))
        throw new InvalidArgumentError(`invalid proto, expected ${protocol}: ${rest}`);
      return `${protocol}://${rest || (protocol === "unix" ? defaultSocket : defaultPipe)}`;
    case "fd":
    case "ssh":
      return host;
    default:
      throw new InvalidArgumentError(`invalid bind address format: ${host}`);
  }
}

/** True when the daemon is reached by a socket, pipe or descriptor of this machine: no TLS there. */
export function isSocketHost(host: string): boolean {
  return /^(unix|npipe|fd):\/\//.test(host);
}

function tcpHost(text: string, rest: string): string {
  if (rest === "") return "tcp://localhost:2375";
  const match = /^(\[[^\]/]*\]|[^:/[\]]*)(?::(\d*))?(\/.*)?$/.exec(rest);
  if (!match || rest.includes("://") || Number(match[2] || 0) > 65_535) {
    throw new InvalidArgumentError(`invalid bind address format: ${text}`);
  }
  return `tcp://${match[1] || "localhost"}:${match[2] || "2375"}${match[3] ?? ""}`;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}
