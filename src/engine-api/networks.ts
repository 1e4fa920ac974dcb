import { readOptions } from "../core/index.js";
import { type Filters, encodeFilters } from "./filters.js";
import { networkSegment } from "./names.js";
import { callKinds, listKinds } from "./option-kinds.js";
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
      ...readOptions("networks.create()", options, callKinds),
      method: "POST",
      path: "/networks/create",
      // Engines before API 1.44 make a second network of the same name unless told to look.
      json: { CheckDuplicate: true, ...body },
    });
  }

  /** @throws EngineError `ENGINE_NOT_FOUND`. */
  async inspect(id: string, options: CallOptions = {}): Promise<Network> {
    const call = readOptions("networks.inspect()", options, callKinds);
    return this.#transport.json({ ...call, method: "GET", path: `/networks/${networkSegment(id)}` });
  }

  /** The engine's networks. */
  async list(options: CallOptions & { filters?: Filters } = {}): Promise<Network[]> {
    const { filters, ...rest } = readOptions("networks.list()", options, listKinds);
    return this.#transport.json({
      ...rest,
      method: "GET",
      path: "/networks",
      query: { filters: encodeFilters(filters) },
    });
  }

  /** @throws EngineError with status 403 when a container is still connected. */
  async remove(id: string, options: CallOptions = {}): Promise<void> {
    const call = readOptions("networks.remove()", options, callKinds);
    await this.#transport.send({ ...call, method: "DELETE", path: `/networks/${networkSegment(id)}` });
  }
}
