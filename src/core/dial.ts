import type { Duplex } from "node:stream";

/**
 * Opens one fresh byte stream to a peer. The seam between protocol and I/O: unix sockets, TCP, TLS, ssh,
 * `docker exec … buildctl dial-stdio`, the builder's own socket and in-memory pairs all produce it.
 *
 * Half-close is meaningful: `end()` on the stream tells the peer that no more bytes come.
 *
 * @throws SlipwayError when the peer cannot be reached; an aborted signal rejects with {@link AbortedError}.
 */
export type Dial = (signal?: AbortSignal) => Promise<Duplex>;
