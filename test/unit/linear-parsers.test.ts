import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { callResult } from "../../src/build/build-result.js";
import { baseImages } from "../../src/build/engine-images/base-images.js";
import { control, toStatusUpdate } from "../../src/buildkit/index.js";
import { ExitCode } from "../../src/cli/cli-context.js";
import { formatLocalTime, formatNanoTime } from "../../src/cli/commands/history/format-time.js";
import { parseCsvFields, parseGoDuration, parseSize } from "../../src/config/index.js";
import { compileGoRegexp } from "../../src/fs/go-regexp.js";
import { PatternMatcher, parseIgnoreFile } from "../../src/fs/index.js";
import { cleanPath } from "../../src/fs/paths.js";
import { splitJson } from "../../src/manage/history/split-json.js";
import { formatStatusJson } from "../../src/progress/rawjson.js";
import { LogSanitizer, sanitizeName, sanitizeText } from "../../src/progress/sanitize.js";
import { guardWorkflowCommands } from "../../src/progress/workflow-guard.js";
import { parseChallenges } from "../../src/registry/challenge.js";
import { cleanText } from "../../src/report/clean-text.js";
import { type Pump, fasterThanLinear } from "../support/growth.js";

/** Whatever it throws: the time is what counts. */
const trying = (work: (text: string) => unknown) => (text: string) => {
  try {
    return work(text);
  } catch (error) {
    return error;
  }
};

const parsers: Record<string, (text: string) => unknown> = {
  "challenges of a registry": (text) => parseChallenges([text]),
  "JSON of a trace": splitJson,
  "a page's text": cleanText,
  "names on a terminal": sanitizeName,
  "texts on a terminal": sanitizeText,
  "output of a step": (text) => new LogSanitizer({ returns: "break" }).push(Buffer.from(text)),
  "a line for GitHub's log": (text) => guardWorkflowCommands(text, "github"),
  "a line for GitLab's log": (text) => guardWorkflowCommands(text, "gitlab"),
  "an ignore file": (text) => new PatternMatcher(parseIgnoreFile(Buffer.from(text))),
  "a file pattern": (text) => compileGoRegexp(text),
  "a path": cleanPath,
  "images of a Dockerfile": baseImages,
  "fields of a list": parseCsvFields,
  "a duration": parseGoDuration,
  "a size": parseSize,
};

const words = ['"', "\\", "\\\"", " ", "\t", "\n", "\r", "\r\r\n", "{", "}", "[", "]", "##[", "::", "section_end:", "\x1b[", "\x1b]", "\x9b1", "a", "0", "*", "**/", "?", "!", "/", "../", ",", "=", 'a="', "(", "FROM ", "FROM --a ", "COPY --from=", "RUN ,from=", "\\\n", "[a]{0,1}", "[:", "{1,", "\\p{L}", "#"]; // prettier-ignore

test.each(Object.keys(parsers))("SEC-66 %s takes linear time", { timeout: 60_000 }, (name) => {
  const work = trying(parsers[name] as (text: string) => unknown);
  const pumps: Pump[] = words.flatMap((pump) =>
    ["", "x", "["].map((prefix) => ({ prefix, pump, suffix: "\0" })),
  );
  expect(pumps.map((pump) => fasterThanLinear(work, pump)).filter((each) => each !== undefined)).toEqual([]);
});

test("SEC-66 4 MiB of brackets pass a CI log's guard at once", () => {
  const text = "[".repeat(4 << 20);
  const start = process.cpuUsage();
  expect(guardWorkflowCommands(text)).toBe(text);
  guardWorkflowCommands("##[".repeat(1 << 20));
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
});

test("SEC-67 absurd times of a daemon are printed as times", () => {
  for (const seconds of [-(2n ** 63n), 2n ** 63n - 1n]) {
    const time = { seconds, nanos: -1 };
    const vertex = { digest: "sha256:1", name: "a", started: time, completed: time };
    const update = toStatusUpdate(
      create(control.StatusResponseSchema, {
        vertexes: [vertex],
        logs: [{ vertex: "sha256:1", msg: Buffer.from("x"), timestamp: time }],
        statuses: [{ ID: "s", vertex: "sha256:1", timestamp: time, started: time }],
      }),
    );
    expect(formatStatusJson(update)).toContain('"started"');
    expect(formatLocalTime(update.vertexes[0]?.started as Date)).not.toContain("NaN");
    expect(formatNanoTime({ ...create(control.VertexSchema, vertex).started!, seconds: 253_402_300_799n }, "utc")).toContain("9999"); // prettier-ignore
  }
});

test.each(["256", "-1", "nonsense", "1e3", "0x0", "99999999999999999999"])(
  "SEC-67 a frontend's status %s is no success",
  (status) => {
    const metadata = new Map([["result.statuscode", Buffer.from(status)]]);
    const { status: found } = callResult({ name: "lint", format: "", ignoreStatus: false }, metadata);
    expect(new ExitCode(found).exitCode).toBe(1);
  },
);

test("SEC-67 no exit code is cut to a success", () => {
  expect([0, 1, 255, 256, 512, -256, NaN, 1.5].map((code) => new ExitCode(code).exitCode)).toEqual([0, 1, 255, 1, 1, 1, 1, 1]); // prettier-ignore
});
