// The parts of undici that slipway uses, by the names of their files. Its index loads a browser's worth of fetch with them,
// `node:sqlite` too, which some bundlers load at the start and Node 20 does not have; and Bun puts a stand-in of its own in the
// place of the index, which has no dispatchers.
declare module "undici/lib/dispatcher/agent.js" {
  export { Agent as default } from "undici";
}
declare module "undici/lib/dispatcher/proxy-agent.js" {
  export { ProxyAgent as default } from "undici";
}
declare module "undici/lib/api/api-request.js" {
  import type { Dispatcher } from "undici";

  export default function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>;
}
