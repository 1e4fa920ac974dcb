import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** A way to the npm registry, for package managers that a test starts. */
export interface RegistryProxy {
  /** What npm, pnpm, Yarn and Bun take as their proxy. */
  env: Record<string, string>;
  close(): void;
}

/** The proxy of scripts/with-registry.mjs, at a port of the testbed's own network; undefined without that. */
export async function registryProxy(): Promise<RegistryProxy | undefined> {
  const path = process.env["SLIPWAY_TEST_REGISTRY"];
  if (!path) return undefined;
  const server = createServer((near) => {
    const far = connect(path);
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registry = "https://registry.npmjs.org";
  return {
    env: {
      npm_config_https_proxy: proxy,
      HTTPS_PROXY: proxy,
      YARN_HTTPS_PROXY: proxy,
      YARN_NPM_REGISTRY_SERVER: registry,
    },
    close: () => void server.close(),
  };
}
