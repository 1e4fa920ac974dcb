import { BlockList, isIP } from "node:net";
import { type Environment } from "../config/index.js";
import { InvalidArgumentError, percentDecodeBytes } from "../core/index.js";
import { isLoopbackHost } from "./hub.js";

/**
 * The proxy for a URL by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (either case), undefined for none. The rules are
 * Go's (golang.org/x/net/http/httpproxy), as people configure them for docker: no fall-back from one variable to the
 * other, no proxy for loopback, and `NO_PROXY` takes `*`, names with their sub-domains, `host:port`, addresses and
 * CIDR ranges.
 *
 * @throws InvalidArgumentError naming the variable whose value is no http(s) address.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = env[variable] || env[variable.toLowerCase()];
  if (!value || isLoopbackHost(url.hostname)) return undefined;
  const noProxy = env["NO_PROXY"] || env["no_proxy"] || "";
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (noProxy.split(",").some((entry) => excludes(entry.trim().toLowerCase(), host, port))) return undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (!proxy?.hostname || !/^https?:$/.test(proxy.protocol)) {
    // The value may hold a password, and is not shown.
    throw new InvalidArgumentError(`invalid proxy address in ${variable}`);
  }
  requireReadable(proxy, variable);
  return proxy;
}

/** The header by which a user and a password of the proxy's address are sent to it; undefined without. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const user = Buffer.concat([percentDecodeBytes(username), Buffer.from(":"), percentDecodeBytes(password)]);
  return `Basic ${user.toString("base64")}`;
}

/** A user and a password that are not URL-encoded as they must be: neither is shown. */
function requireReadable({ username, password }: URL, variable: string): void {
  try {
    percentDecodeBytes(username);
    percentDecodeBytes(password);
  } catch {
    throw new InvalidArgumentError(
      `invalid proxy address in ${variable}: the user name or the password has an invalid URL escape; a "%" in one is written %25`,
    );
  }
}

function excludes(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const range = /^(.+)\/(\d+)$/.exec(entry);
  if (range?.[1] && isIP(range[1]) !== 0) return inRange(range[1], Number(range[2]), host);
  // A lone IPv6 address has colons but no port.
  const split = isIP(entry) === 6 ? null : /^(.*):(\d+)$/.exec(entry);
  if (split && split[2] !== port) return false;
  const name = (split?.[1] ?? entry).replace(/^\[(.*)\]$/, "$1");
  if (isIP(name) !== 0) return name === host;
  const bare = name.replace(/^\*?\./, "");
  // ".example.com" means the sub-domains only, "example.com" itself as well.
  return (name === bare && host === bare) || host.endsWith(`.${bare}`);
}

function inRange(address: string, bits: number, host: string): boolean {
  const family = isIP(host);
  if (family === 0 || family !== isIP(address) || bits > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(address, bits, type);
  return list.check(host, type);
}
