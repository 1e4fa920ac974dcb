import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { StatusResponseSchema } from "./gen/moby/buildkit/v1/control_pb.js";
import { toStatusUpdate } from "./status-update.js";

const at = new Date("2026-11-23T12:00:00.123Z");
const timestamp = timestampFromDate(at);

test("toStatusUpdate takes everything over, and leaves out what was not sent", () => {
  const update = toStatusUpdate(
    create(StatusResponseSchema, {
      vertexes: [
        { digest: "sha256:1", name: "[1/2] FROM a" },
        {
          digest: "sha256:2",
          name: "[2/2] RUN b",
          inputs: ["sha256:1"],
          cached: true,
          started: timestamp,
          completed: timestamp,
          error: "context canceled",
          progressGroup: { id: "g", name: "group", weak: true },
        },
      ],
      statuses: [
        { ID: "extracting", vertex: "sha256:2", name: "n", current: 5n, total: 2n ** 40n, timestamp },
      ],
      logs: [{ vertex: "sha256:2", stream: 2n, msg: Buffer.from([255, 0]), timestamp }],
      warnings: [
        {
          vertex: "sha256:2",
          level: 1n,
          short: Buffer.from("kurz"),
          detail: [Buffer.from("läng"), Buffer.from("er")],
          url: "https://x",
          info: { filename: "Dockerfile", data: Buffer.from("FROM a"), language: "Dockerfile" },
          ranges: [{ start: { line: 3 }, end: { line: 4, character: 1 } }],
        },
      ],
    }),
  );
  expect(update).toEqual({
    vertexes: [
      { digest: "sha256:1", name: "[1/2] FROM a", inputs: [], cached: false },
      {
        digest: "sha256:2",
        name: "[2/2] RUN b",
        inputs: ["sha256:1"],
        cached: true,
        started: at,
        completed: at,
        error: "context canceled",
        progressGroup: { id: "g", name: "group", weak: true },
      },
    ],
    statuses: [
      { id: "extracting", vertex: "sha256:2", name: "n", current: 5, total: 2 ** 40, timestamp: at },
    ],
    logs: [{ vertex: "sha256:2", stream: 2, data: Buffer.from([255, 0]), timestamp: at }],
    warnings: [
      {
        vertex: "sha256:2",
        level: 1,
        short: "kurz",
        detail: ["läng", "er"],
        url: "https://x",
        source: { filename: "Dockerfile", data: Buffer.from("FROM a"), language: "Dockerfile" },
        ranges: [{ start: { line: 3, character: 0 }, end: { line: 4, character: 1 } }],
      },
    ],
  });
  expect(Object.keys(update.vertexes[0] ?? {})).toEqual(["digest", "name", "inputs", "cached"]);
});
