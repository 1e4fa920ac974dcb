import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildError, type BuildEvent, Builder, connect, dialBuilder, files } from "../../src/index.js";
import { slowLink } from "../support/slow-link.js";
import { Workplace } from "../support/workplace.js";

/** Builds that fail, over a link on which every packet takes 300 ms: nothing of what they say is lost. */
let place: Workplace;
let builder: Builder;

beforeAll(async () => {
  place = await Workplace.open("slow");
  const name = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
  builder = await Builder.open({ name, env: place.env });
});

afterAll(() => place.close());

/** What is told of a build that fails. */
async function failure(milliseconds: number, Dockerfile: string, allow: string[] = []) {
  const dial = slowLink(async (signal) => (await dialBuilder({ builder, signal })).stream, milliseconds);
  await using connection = await connect({ dial, env: place.env });
  const names = new Set<string>();
  let log = "";
  const onEvent = (event: BuildEvent) => {
    if (event.type !== "status") return;
    for (const vertex of event.vertexes) names.add(vertex.name);
    for (const { data } of event.logs) log += Buffer.from(data).toString();
  };
  const running = connection.build({ context: files({ Dockerfile }), allow, noCache: true, onEvent });
  const { message, code } = (await running.catch((error: unknown) => error)) as BuildError;
  return { message, code, log, names: [...names].sort() };
}

test.concurrent.each<[string, string, string[]?]>([
  ["a step that fails", "FROM busybox\nRUN seq 1 2000 && echo the last line && false\n"],
  ["a syntax error", "FROM scratch\nCOPPY a b\n"],
  ["a base image that is not there", "FROM localhost:1/nothing\n"],
  ["a frontend that is not there", "# syntax=localhost:1/nothing\nFROM scratch\n"],
  ["a permission that the builder does not give", "FROM scratch\n", ["security.insecure"]],
])("FLT-22 %s is told in full over a slow link", async (_what, Dockerfile, allow) => {
  const [far, near] = await Promise.all([300, 0].map((each) => failure(each, Dockerfile, allow)));
  expect(far?.message).toMatch(/./);
  expect(far).toEqual(near);
});
