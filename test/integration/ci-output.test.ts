import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workplace } from "../support/workplace.js";

/** What a CI job's log gets of real builds, by the environment that the job runs in. */
let place: Workplace;
let builder: string;
let context: string;

beforeAll(async () => {
  place = await Workplace.open("ci");
  builder = await place.builder("b", "--driver-opt", "network=host");
  context = await place.context({
    "app/Dockerfile":
      "FROM busybox as base\nCOPY . /src\nRUN echo hello\n" +
      "RUN printf 'x\\r::error::y\\n##[set-output name=a]b\\n' && echo oops >&2 && exit 3\n",
    "app/file": "content\n",
  });
});

afterAll(async () => {
  await place?.close();
});

const failing = async (env: Record<string, string>, ...flags: string[]) => {
  const args = ["build", "--builder", builder, ...flags, "app"];
  const all = { GITHUB_ACTIONS: undefined, GITLAB_CI: undefined, BUILDKIT_PROGRESS: undefined, ...env };
  const result = await place.run(args, { env: all, cwd: context });
  expect(result.exitCode).toBe(1);
  return result.stderr;
};

describe("the log of a CI job", () => {
  test("has groups and annotations on GitHub Actions", async () => {
    const log = await failing({ GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: context });
    expect(log).toMatch(/^::group::#\d+ \[internal\] booting buildkit$/m);
    const group = /^::group::(#\d+) \[4\/4\] RUN printf .*\n(?:\1 .*\n)*::endgroup::\n\1 ERROR: process /m;
    expect(log).toMatch(group);
    expect(log).toMatch(/^#\d+ [\d.]+ x\n#\d+ [\d.]+ ::error::y\n#\d+ [\d.]+ ## \[set-output name=a\]b$/m);
    expect(log).toMatch(/^::warning file=app\/Dockerfile,line=1,title=FromAsCasing::'as' and 'FROM' .*$/m);
    expect(log).toMatch(
      /^::error file=app\/Dockerfile,line=4,title=Build failed::failed to solve: process .* exit code: 3$/m,
    );
    expect(log).toMatch(/^ERROR: failed to build: failed to solve: process /m);
    const commands = log.split(/[\r\n]/).filter((line) => line.trimStart().startsWith("::"));
    expect(commands.filter((line) => !/^::(?:group::#\d|endgroup::$)/.test(line))).toHaveLength(2);
    expect(log).not.toContain("##[");
  });

  test("has sections and coloured lines on GitLab", async () => {
    const log = await failing({ GITLAB_CI: "true", CI_PROJECT_DIR: context });
    const section =
      /section_start:(\d+):(slipway_\w+)\[collapsed=true\]\r\x1b\[0K(#\d+) \[4\/4\] RUN printf /;
    const [, started = "", name = ""] = section.exec(log) ?? [];
    const ended = new RegExp(`section_end:(\\d+):${name}\\r\\x1b\\[0K\\n#\\d+ ERROR: process`).exec(log)?.[1];
    expect(Number(ended)).toBeGreaterThanOrEqual(Number(started));
    expect(log).toMatch(/^\x1b\[33;1mWARNING: app\/Dockerfile:1: FromAsCasing: /m);
    expect(log).toMatch(/^\x1b\[31;1mERROR: app\/Dockerfile:4: Build failed: failed to solve: /m);
  });

  test("is plain when asked for, and marks what was asked for wrongly", async () => {
    for (const log of [
      await failing({ GITHUB_ACTIONS: "true" }, "--progress", "plain"),
      await failing({ GITHUB_ACTIONS: "true", BUILDKIT_PROGRESS: "plain" }),
    ]) {
      expect(log).not.toMatch(/^::/m);
      expect(log).toMatch(/^#0 building with /m);
    }
    const wrong = await failing({ GITHUB_ACTIONS: "true" }, "--platform", "no/such/thing/at/all");
    expect(wrong).toMatch(/^::error title=Build failed::/m);
    expect(wrong).not.toContain("::group::");
  });
});
