// What the bundled command does so as to start sooner, one by one: README.md says what each leans on and what it buys.
import { fileURLToPath } from "node:url";
import { directImports } from "./direct-imports.mjs";
import { lazily, lazyFunction, lazyModule, read } from "./lazy-modules.mjs";
import { notedModules } from "./noted-modules.mjs";
import { lightDescriptors } from "./light-descriptors-plugin.mjs";
import { ownFunctions } from "./own-functions.mjs";
import { protobufParts } from "./protobuf-parts.mjs";
import { undiciParts } from "./undici-parts.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * By name: a `plugin` of esbuild's, made with a function that it calls wherever it changes something; a module that is to be had
 * everywhere (`inject`), by what it exports or by a name that stands for others (`define`); or what makes another text of the
 * bundle's (`rewrite`), and calls a function where it does.
 *
 * @type {Record<string, { plugin?: (used: () => void) => import("esbuild").Plugin, inject?: string, define?: Record<string, string>, rewrite?: (text: string, used: () => void) => string }>}
 */
export const tricks = {
  "undici-parts": { plugin: undiciParts },
  "protobuf-parts": { plugin: protobufParts },
  "light-descriptors": { plugin: lightDescriptors },
  "lazy-child-process": { plugin: lazyModule("src", "node:child_process", lazily("spawn", "execFile")) },
  "lazy-dns": { plugin: lazyModule("src", "node:dns/promises", lazily("lookup")) },
  // Commands as programs of their own.
  "lazy-commander": { plugin: lazyModule("commander", "node:child_process", lazily("spawn")) },
  // Compression of messages, which is turned off.
  "lazy-zlib": {
    plugin: lazyModule(
      "@connectrpc/connect-node",
      "node:zlib",
      lazily("gzip", "gunzip", "brotliCompress", "brotliDecompress"),
    ),
  },
  // What speaks HTTP/2 with engines and registries, which are spoken to by HTTP/1.1.
  "lazy-http2": { plugin: lazyFunction("undici", "./client-h2.js") },
  // Its own way to a server: we hand it connections, and to those it makes itself nothing leads.
  "connect-http2": {
    plugin: lazyModule(
      "@connectrpc/connect-node",
      "node:http2",
      `${lazily("connect")}\n${read("constants")}`,
    ),
  },
  // undici's client asks for the longest header that Node takes, and whether a body is an answer of Node's client.
  "undici-http": {
    plugin: lazyModule(
      "undici",
      "node:http",
      `exports.IncomingMessage = class {};
const isSet = () => [...process.execArgv, process.env.NODE_OPTIONS].some((each) => /max.http.header.size/.test(each));
Object.defineProperty(exports, "maxHeaderSize", { get: () => (isSet() ? real().maxHeaderSize : 16384) });
${read("STATUS_CODES")}`,
    ),
  },
  "undici-assert": {
    plugin: lazyModule(
      "undici",
      "node:assert",
      "module.exports = (value, ...rest) => { if (!value) real()(value, ...rest); };",
    ),
  },
  "connect-http": { plugin: lazyModule("@connectrpc/connect-node", "node:http", lazily("request")) },
  "connect-https": { plugin: lazyModule("@connectrpc/connect-node", "node:https", lazily("request")) },
  // For registries, proxies, and engines and daemons behind TLS.
  "lazy-tls": {
    plugin: lazyModule(
      "src",
      "node:tls",
      `${lazily("connect", "createSecureContext")}\n${read("getCACertificates", "rootCertificates")}`,
    ),
  },
  // A build hashes little, and late; identifiers it needs at once.
  "lazy-crypto": {
    plugin: lazyModule(
      "src",
      "node:crypto",
      `const { kernelRandom } = require(${JSON.stringify(here("kernel-random.ts"))});
exports.randomBytes = (size) => kernelRandom(size) ?? real().randomBytes(size);
${lazily("createHash", "createHmac", "createPrivateKey", "createPublicKey", "randomInt", "randomUUID", "sign")}`,
    ),
  },
  "lazy-http": {
    plugin: lazyModule("src", "node:http", `${lazily("request")}\n${read("STATUS_CODES")}`),
  },
  "lazy-https": { plugin: lazyModule("src", "node:https", lazily("request")) },
  "direct-imports": { plugin: directImports },
  "light-headers": { inject: here("light-headers.ts") },
  "plain-web-assembly": { inject: here("plain-web-assembly.ts") },
  "own-functions": { rewrite: ownFunctions },
  // Behind it, as it looks for the same function.
  "noted-modules": { rewrite: notedModules },
  "light-clock": { inject: here("light-clock.ts"), define: { "performance.now": "lightNow" } },
};

/**
 * What esbuild is told for all of them but those named, and what is done with its bundle before white space is taken out.
 *
 * @param {readonly string[]} without
 */
export function startupOptions(without = []) {
  for (const name of without) if (!(name in tricks)) throw new Error(`there is no start-up trick ${name}`);
  const chosen = Object.entries(tricks).filter(([name]) => !without.includes(name));
  const used = new Set();
  const options = {
    plugins: chosen.flatMap(([name, { plugin }]) => plugin?.(() => used.add(name)) ?? []),
    inject: chosen.flatMap(([, { inject }]) => inject ?? []),
    define: Object.assign({}, ...chosen.map(([, { define }]) => define)),
  };

  const rewrite = (text) =>
    chosen.reduce((text, [name, { rewrite }]) => rewrite?.(text, () => used.add(name)) ?? text, text);

  /**
   * To be called with the files of the bundle: a trick that changed nothing buys nothing any more, or leans on something that
   * an update has moved.
   *
   * @param {readonly string[]} inputs absolute paths
   */
  function checkUse(inputs) {
    const idle = chosen
      .filter(([name, { inject }]) => (inject ? !inputs.includes(inject) : !used.has(name)))
      .map(([name]) => name);
    if (idle.length > 0)
      throw new Error(
        `start-up tricks that changed nothing: ${idle.join(", ")}. What they lean on has changed; src/cli/startup/README.md says what it was.`,
      );
  }
  return { options, rewrite, checkUse };
}
