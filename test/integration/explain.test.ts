import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../support/workplace.js";

/** `--explain`: why steps ran that an earlier build had. */
let place: Workplace;
let builder: string;
let dir: string;
const dockerfile =
  "FROM busybox\nARG VERSION=1\nRUN echo $VERSION >/version\nCOPY src /src\nRUN cat /src/a >/b\n";

beforeAll(async () => {
  place = await Workplace.open("explain");
  builder = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
  dir = await place.context({ Dockerfile: dockerfile, "src/a": "1", "src/b": "1", other: "1" });
});

afterAll(() => place?.close());

async function explain(...args: string[]): Promise<string> {
  const { stderr } = await place.succeed(["build", "--builder", builder, "--explain", ...args, dir]);
  const lines = stderr.split("\n");
  const at = lines.findIndex((line) =>
    /^(?:Steps that ran again|No step ran again|Why steps ran)/.test(line),
  );
  return lines.slice(at).join("\n");
}

test("what changed is told of each step that ran again, also in the report", async () => {
  expect(await explain()).toBe(
    "Why steps ran is not known: no earlier build of this on this builder is known\n",
  );
  expect(await explain()).toBe("No step ran again that the earlier build had\n");

  await writeFile(`${dir}/src/a`, "2");
  await writeFile(`${dir}/other`, "2");
  const report = place.path("report.html");
  expect(await explain("--report", report)).toBe(
    [
      "Steps that ran again, and why:",
      " [3/4] COPY src /src",
      "   the file src/a was changed",
      " [4/4] RUN cat /src/a >/b",
      "   it depends on [3/4] COPY src /src, which ran again",
      "",
    ].join("\n"),
  );
  const page = await readFile(report, "utf8");
  expect(page).toContain("Why steps ran again");
  expect(page).toContain("the file src/a was changed");

  const argument = await explain("--build-arg", "VERSION=2");
  expect(argument).toContain(" [2/4] RUN echo 2 >/version\n");
  await writeFile(`${dir}/Dockerfile`, dockerfile.replace("cat /src/a", "cat /src/b"));
  expect(await explain("--build-arg", "VERSION=2")).toContain(
    "   the instruction was RUN cat /src/a >/b, now RUN cat /src/b >/b\n",
  );
  await place.succeed(["prune", "--builder", builder, "--all", "--force"]);
  expect(await explain("--build-arg", "VERSION=2")).toContain(
    " [2/4] RUN echo 2 >/version\n   nothing that it depends on changed: its result was no longer in the cache\n",
  );
  expect(await explain("--build-arg", "VERSION=2", "--no-cache")).toContain(
    "   the cache was not to be used\n",
  );
});

test("a build before it without --explain tells what the builder knows of it", async () => {
  dir = await place.context({ Dockerfile: "FROM busybox\nCOPY a /a\nRUN cat /a\n", a: "1" });
  await place.succeed(["build", "--builder", builder, dir]);
  await writeFile(`${dir}/a`, "2");
  const text = await explain();
  expect(text).toContain(" [2/3] COPY a /a\n   not known: whether files of the context changed");
  expect(text).toContain("   it depends on [2/3] COPY a /a, which ran again\n");
});
