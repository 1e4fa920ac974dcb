// What is used here of undici (src/undici-parts.d.ts), loaded with the first request.
export { default as request } from "undici/lib/api/api-request.js";
export { default as Agent } from "undici/lib/dispatcher/agent.js";
export { default as ProxyAgent } from "undici/lib/dispatcher/proxy-agent.js";
