import { type Filters, encodeFilters } from "./filters.js";
import { networkSegment } from "./names.js";
import type { CallOptions, Transport } from "./transport.js";
import type { Network, NetworkCreateBody } from "./wire-system.js";

/** Calls on networks. A network is named by name or id. */
export class Networks {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a network and gives its id. */
  async create(
    body: NetworkCreateBody,
    options: CallOptions = {},
  ): Promise<{ Id: string; Warning?: string }> {
    networkSegment(body.Name);
    return this.#transport.json({
      ...options,
      method: "POST",
      path: "/networks/create",
      // Engines before API 1.44 make a second network of the same name unless told to look.
      json: { CheckDuplicate: true, ...body },
    });
  }

  /** @throws EngineError `ENGINE_NOT_FOUND`. */
  async inspect(id: string, options: CallOptions = {}): Promise<Network> {
    return this.#transport.json({ ...options, method: "GET", path: `/networks/${networkSegment(id)}` });
  }

  /** The engine's networks. */
  async list(options: CallOptions & { filters?: Filters } = {}): Promise<Network[]> {
    const { filters, ...rest } = options;
    return this.#transport.json({
      ...rest,
      method: "GET",
      path: "/networks",
      query: { filters: encodeFilters(filters) },
    });
  }

  /** @throws EngineError with status 403 when a container is still connected. */
  async remove(id: string, options: CallOptions = {}): Promise<void> {
    await this.#transport.send({ ...options, method: "DELETE", path: `/networks/${networkSegment(id)}` });
  }
}
