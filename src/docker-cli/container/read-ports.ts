import { InvalidArgumentError } from "../../core/index.js";

/** Ports that a container opens, and where on the host they are reached, as the engine takes them. */
export interface Ports {
  exposed: Record<string, Record<string, never>>;
  bindings: Record<string, { HostIp: string; HostPort: string }[]>;
}

const protocols = new Set(["tcp", "udp", "sctp"]);

/**
 * Reads `--publish` (`[[IP:][HOSTPORT]:]PORT[/PROTOCOL]`, each port may be a range) and `--expose` (docker/go-connections nat).
 *
 * @throws InvalidArgumentError
 */
export function readPorts(publish: readonly string[], expose: readonly string[]): Ports {
  const exposed = new Map<string, Record<string, never>>();
  const bindings = new Map<string, { HostIp: string; HostPort: string }[]>();
  for (const text of expose) {
    const { protocol, range } = readContainerPorts(text, text);
    for (let port = range.first; port <= range.last; port++) exposed.set(`${port}/${protocol}`, {});
  }
  for (const text of publish) {
    const { ip, host, container } = split(text);
    const { protocol, range } = readContainerPorts(container, text);
    const from = host === "" ? undefined : readRange(host, text);
    const count = range.last - range.first;
    if (from && from.last - from.first !== count && (count > 0 || from.last < from.first))
      throw new InvalidArgumentError(
        `invalid ranges specified for container and host Ports: ${range.text} and ${host}`,
      );
    for (let step = 0; step <= count; step++) {
      const port = `${range.first + step}/${protocol}`;
      const HostPort = !from ? "" : count === 0 ? from.text : String(from.first + step);
      exposed.set(port, {});
      bindings.set(port, [...(bindings.get(port) ?? []), { HostIp: ip, HostPort }]);
    }
  }
  return { exposed: Object.fromEntries(exposed), bindings: Object.fromEntries(bindings) };
}

function split(text: string): { ip: string; host: string; container: string } {
  const last = text.lastIndexOf(":");
  if (last < 0) return { ip: "", host: "", container: text };
  const container = text.slice(last + 1);
  const before = text.slice(0, last);
  const at = before.lastIndexOf(":");
  if (at < 0) return { ip: "", host: before, container };
  return { ip: before.slice(0, at).replace(/^\[(.*)\]$/, "$1"), host: before.slice(at + 1), container };
}

interface PortRange {
  first: number;
  last: number;
  text: string;
}

function readContainerPorts(given: string, whole: string): { protocol: string; range: PortRange } {
  const [ports = "", protocol = "tcp"] = given.split("/", 2);
  if (!protocols.has(protocol.toLowerCase()))
    throw new InvalidArgumentError(
      `invalid protocol ${JSON.stringify(protocol)} in ${JSON.stringify(whole)}`,
    );
  return { protocol: protocol.toLowerCase(), range: readRange(ports, whole) };
}

function readRange(text: string, whole: string): PortRange {
  const [, from = "", to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = { first: Number(from), last: Number(to), text };
  if (from === "" || range.last > 65_535 || range.last < range.first)
    throw new InvalidArgumentError(`invalid port ${JSON.stringify(text)} in ${JSON.stringify(whole)}`);
  return range;
}
