import { frameMessage, type ServerCall } from "../http2/index.js";

const service = "/grpc.health.v1.Health";

/** The methods of grpc.health.v1.Health as advertised. */
export const healthMethods: readonly string[] = [`${service}/Check`, `${service}/List`, `${service}/Watch`];

// HealthCheckResponse{status: SERVING}, and HealthListResponse{statuses: {"": that}}.
const serving = Buffer.from([0x08, 0x01]);
const check = frameMessage(serving);
const list = frameMessage(Buffer.from([0x0a, 0x06, 0x0a, 0x00, 0x12, 0x02, ...serving]));

/**
 * Answers a call of grpc.health.v1.Health, at once and without reading its request: we serve as long as we answer.
 * The builder checks every 5 s and drops the session after two failures (buildkit session/grpc.go monitorHealth).
 *
 * @param path the call's path in lower case. @returns false when it is no health call.
 */
export function serveHealth(path: string, call: ServerCall): boolean {
  switch (path) {
    case "/grpc.health.v1.health/check":
      call.write(check);
      call.end();
      return true;
    case "/grpc.health.v1.health/list":
      call.write(list);
      call.end();
      return true;
    case "/grpc.health.v1.health/watch":
      // The status never changes; the stream stays open until the builder or the session ends it.
      call.write(check);
      return true;
    default:
      return false;
  }
}
