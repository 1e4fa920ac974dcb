import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { callbackify } from "node:util";
import type { buildConnector } from "undici";
import { proxyAuthorization } from "./proxy.js";
import { RegistryError } from "./registry-error.js";

/** Options of {@link tunnelConnector}. */
export interface TunnelOptions {
  proxy: URL;
  /** TLS towards a proxy that is spoken to by https. */
  proxyTls: ConnectionOptions;
  /** TLS towards the server behind it. */
  serverTls: ConnectionOptions;
  /** Limit of the whole way, ms. */
  timeout: number;
}

/**
 * Connects undici to https servers through a proxy, by CONNECT. Not undici's own ProxyAgent: where the proxy closes the
 * connection instead of answering, that tries again without end.
 */
export function tunnelConnector(options: TunnelOptions): buildConnector.connector {
  const openWithCallback = callbackify(open);
  return (target, callback) => {
    openWithCallback(target, options, (error, socket) => {
      if (error) callback(error, null);
      else callback(null, socket);
    });
  };
}

async function open(target: buildConnector.Options, options: TunnelOptions): Promise<Socket> {
  const { hostname, port } = target;
  const host = `${hostname}:${port || 443}`;
  const expiry = AbortSignal.timeout(options.timeout);
  const socket = await askProxy(host, options, expiry);
  const name = hostname.replace(/^\[(.*)\]$/, "$1");
  return await new Promise((resolve, reject) => {
    const secure = connectTls({
      ALPNProtocols: ["http/1.1"],
      ...options.serverTls,
      socket,
      host: name,
      // An address is not a server name (RFC 6066), and Node warns of one.
      ...(!/^[\d.]+$|:/.test(name) && { servername: name }),
    });
    const onTimeout = () => secure.destroy(timeoutError(host, options.proxy));
    expiry.addEventListener("abort", onTimeout, { once: true });
    secure.once("error", reject);
    secure.once("secureConnect", () => {
      expiry.removeEventListener("abort", onTimeout);
      secure.off("error", reject);
      resolve(secure);
    });
  });
}

function askProxy(
  host: string,
  { proxy, proxyTls, timeout }: TunnelOptions,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const authorization = proxyAuthorization(proxy);
    const request = (proxy.protocol === "https:" ? https : http).request({
      ...proxyTls,
      method: "CONNECT",
      host: proxy.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      path: host,
      headers: {
        host,
        ...(authorization !== undefined && { "proxy-authorization": authorization }),
      },
      agent: false,
      signal,
    });
    request.once("error", (error) => reject(signal.aborted ? timeoutError(host, proxy) : error));
    request.once("connect", ({ statusCode = 0, statusMessage = "" }, socket: Socket, head: Buffer) => {
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.on("error", () => {}).destroy();
      const answer = `${statusCode} ${statusMessage}`.trimEnd();
      reject(
        new RegistryError(
          "REGISTRY_CONNECT",
          `proxy ${proxy.host} refuses to connect to ${host}: ${answer}`,
          {
            host,
            status: statusCode,
          },
        ),
      );
    });
    request.setTimeout(timeout);
    request.end();
  });
}

function timeoutError(host: string, proxy: URL): RegistryError {
  return new RegistryError(
    "REGISTRY_CONNECT",
    `connecting to ${host} through proxy ${proxy.host} timed out`,
    {
      host,
    },
  );
}
