import { InvalidArgumentError } from "../../core/index.js";

/** Whether a URL may be fetched. */
export type UrlRule = (url: URL) => boolean;

/**
 * Reads hosts that may be asked: `example.com`, `*.example.com` for those below it, `example.com:8443` for one port.
 *
 * @throws InvalidArgumentError that names the host
 */
export function hostRules(hosts: readonly string[]): UrlRule {
  const rules = hosts.map(hostRule);
  return (url) => rules.some((rule) => rule(url));
}

function hostRule(text: string): UrlRule {
  const isBelow = text.startsWith("*.");
  const plain = isBelow ? text.slice(2) : text;
  let wanted: URL | undefined;
  // What is no host alone (a path, a user, a scheme) would be taken for one.
  if (/^[^\s/?#@*\\]+$/.test(plain) && URL.canParse(`http://${plain}`)) wanted = new URL(`http://${plain}`);
  if (!wanted || wanted.hostname === "")
    throw new InvalidArgumentError(
      `invalid host ${JSON.stringify(text)}: expected example.com, *.example.com or example.com:8443`,
    );
  const { hostname } = wanted;
  // A URL forgets the port that its scheme has anyway.
  const port = /:(\d+)$/.exec(plain)?.[1];
  return (url) => {
    if (port !== undefined && Number(port) !== portOf(url)) return false;
    return isBelow ? url.hostname.endsWith(`.${hostname}`) : url.hostname === hostname;
  };
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
