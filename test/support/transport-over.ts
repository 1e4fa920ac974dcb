import type { Transport } from "@connectrpc/connect";
import { type GrpcTransportOptions, createGrpcTransport } from "@connectrpc/connect-node";
import type { SessionManager } from "../../src/http2/index.js";

/** connect-node's transport over a connection of ours. */
export function transportOver(sessionManager: SessionManager): Transport {
  return createGrpcTransport({
    baseUrl: sessionManager.authority,
    sessionManager: sessionManager as unknown as NonNullable<GrpcTransportOptions["sessionManager"]>,
  });
}
