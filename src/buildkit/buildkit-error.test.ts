import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { SlipwayError, isSlipwayError } from "../core/index.js";
import { BuildkitError, grpcCodeName, statusError, toBuildkitError } from "./buildkit-error.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";

const status = create(StatusSchema, {
  code: 2,
  message: "process did not complete",
  details: [
    { typeUrl: "github.com/moby/buildkit/errdefs.Vertex+json", value: Buffer.from('{"digest":"sha256:1"}') },
    { typeUrl: "github.com/moby/buildkit/errdefs.Vertex+json", value: Buffer.from('{"digest":"sha256:2"}') },
    { typeUrl: "github.com/moby/buildkit/gatewayapi.ExitMessage+json", value: Buffer.from('{"Code":3}') },
  ],
});
// grpc-go leaves the padding away.
const encoded = Buffer.from(toBinary(StatusSchema, status)).toString("base64").replace(/=+$/, "");

describe("toBuildkitError", () => {
  test("reads message, code and details, and keeps the status as sent", () => {
    const headers = { "grpc-status": "2", "grpc-status-details-bin": encoded };
    const error = toBuildkitError(new ConnectError("x", Code.Unknown, headers)) as BuildkitError;
    expect(error).toBeInstanceOf(BuildkitError);
    expect(isSlipwayError(error, "BUILDKIT_STATUS")).toBe(true);
    expect(error.message).toBe("process did not complete");
    expect(error.grpcCode).toBe(2);
    expect(toBinary(StatusSchema, error.status)).toEqual(toBinary(StatusSchema, status));
    expect(error.detail("vertex")).toEqual({ type: "vertex", digest: "sha256:2" });
    expect(error.detail("exit")?.code).toBe(3);
    expect(error.detail("source")).toBeUndefined();
    expect(error.cause).toBeUndefined();
  });

  test("takes code and message when there are no details, or broken ones", () => {
    for (const extra of [{}, { "grpc-status-details-bin": "!!" }]) {
      const error = toBuildkitError(
        new ConnectError("nope", Code.NotFound, { "grpc-status": "5", ...extra }),
      );
      expect(error).toMatchObject({ message: "nope", grpcCode: 5, details: [] });
    }
  });

  test("leaves slipway's errors alone, also inside connect's", () => {
    const own = new SlipwayError("SESSION_LOST", "why");
    expect(toBuildkitError(own)).toBe(own);
    expect(toBuildkitError(ConnectError.from(own))).toBe(own);
    const connection = new SlipwayError("HTTP2_GOAWAY", "why");
    for (const error of [connection, ConnectError.from(connection)])
      expect(toBuildkitError(error)).toMatchObject({ code: "BUILDKIT_CONNECTION_LOST", cause: connection });
    const reset = toBuildkitError(new ConnectError("http/2 stream closed", Code.Internal));
    expect(reset).toMatchObject({ code: "BUILDKIT_PROTOCOL", grpcCode: 13 });
    expect(toBuildkitError(new Error("odd"))).toMatchObject({ message: "odd", grpcCode: 2 });
  });
});

describe("statusError", () => {
  test("is undefined for OK", () => {
    expect(statusError({ code: "0", message: undefined, details: undefined })).toBeUndefined();
  });

  test("decodes the message and the details", () => {
    expect(statusError({ code: "5", message: "no such %22x%22", details: undefined })).toMatchObject({
      message: 'no such "x"',
      grpcCode: 5,
    });
    expect(statusError({ code: "5", message: "100%", details: undefined })?.message).toBe("100%");
    expect(statusError({ code: "2", message: "x", details: encoded })?.details).toHaveLength(3);
  });

  test("a missing or malformed status is a protocol error", () => {
    for (const code of [undefined, "x", "1.5"]) {
      expect(statusError({ code, message: undefined, details: undefined })?.code).toBe("BUILDKIT_PROTOCOL");
    }
  });
});

test("codes have Go's names", () => {
  expect([0, 1, 5, 12, 99].map(grpcCodeName)).toEqual([
    "OK",
    "Canceled",
    "NotFound",
    "Unimplemented",
    "Code(99)",
  ]);
});
