import type { RequestOptions } from "node:https";
import { messageOf } from "../../core/index.js";
import { DriverError } from "../driver-error.js";

/** What slipway uses of a kubeconfig that `@kubernetes/client-node` has read: versions 1.4 and 2 have it alike. */
export interface KubeConfig {
  loadFromString(text: string): void;
  makePathsAbsolute(directory: string): void;
  mergeConfig(other: KubeConfig): void;
  /** The account of the pod that this runs in. */
  loadFromCluster(): void;
  setCurrentContext(name: string): void;
  getCurrentContext(): string | undefined;
  getContextObject(name: string): { namespace?: string } | null;
  getCurrentCluster(): { server?: string } | null;
  /** Adds certificates, the token that an exec plug-in gives, a proxy. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

/** A WebSocket of the package `ws`. */
export interface WebSocketLike {
  readonly protocol: string;
  send(data: Uint8Array, done: (error?: Error | null) => void): void;
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
  on(event: "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

/** What slipway uses of the package. */
export interface ClientNode {
  KubeConfig: new () => KubeConfig;
  /** Its handler of WebSockets is the only way to one that is exported. */
  Exec: new (config: Pick<KubeConfig, "getCurrentCluster" | "applyToHTTPSOptions">) => {
    handler: {
      /** What is closed when the other side says so: by default those of this process. */
      streams: object;
      connect(
        path: string,
        onText: null,
        onData: (channel: number, data: Buffer) => boolean,
      ): Promise<WebSocketLike>;
    };
  };
}

/**
 * The package `@kubernetes/client-node`, an optional peer dependency: kubeconfigs, exec plug-ins, OIDC and accounts of pods are
 * its work.
 *
 * @throws DriverError `DRIVER_PACKAGE` when it is not installed beside slipway, or cannot be loaded.
 */
export async function loadClientNode(): Promise<ClientNode> {
  try {
    return (await import("@kubernetes/client-node")) as unknown as ClientNode;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
    throw new DriverError(
      "DRIVER_PACKAGE",
      "the driver kubernetes and kube-pod:// need the package @kubernetes/client-node, which " +
        (isMissing ? "is not installed beside slipway" : `cannot be loaded: ${messageOf(error)}`) +
        "; install it where slipway is: npm install @kubernetes/client-node@1 (with a global slipway: npm install --global)",
      { cause: error },
    );
  }
}
