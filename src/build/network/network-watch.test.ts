import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { policysession } from "../../buildkit/index.js";
import { Redactor, statusEvent } from "../../core/index.js";
import { NetworkWatch } from "./network-watch.js";

const request = (identifier: string) =>
  create(policysession.CheckPolicyRequestSchema, { Source: { Source: { identifier } } });
const log = (vertex: string, text: string) =>
  statusEvent({ logs: [{ vertex, stream: 2, data: Buffer.from(text), timestamp: new Date() }] as never });

test("URLs are decided on and listed; what a step says of others is not believed", async () => {
  const asked: string[] = [];
  const redactor = new Redactor();
  redactor.add("s3cret-token");
  const watch = new NetworkWatch(
    {
      allowHosts: ["good.example"],
      allow: ({ url }) => {
        asked.push(url);
        return !url.endsWith("/no");
      },
    },
    redactor,
  );
  expect(await watch.decide(request("docker-image://busybox"))).toBeUndefined();
  expect(await watch.decide(request("http://good.example/a?t=s3cret-token"))).toEqual({ action: "allow" });
  expect(await watch.decide(request("http://u:p@good.example/no"))).toMatchObject({ action: "deny" });
  expect(await watch.decide(request("https://bad.example/"))).toMatchObject({ action: "deny" });
  expect(asked).toEqual(["http://good.example/a?t=s3cret-token", "http://u:p@good.example/no"]);
  watch.take(
    statusEvent({
      vertexes: [
        { digest: "v", name: "[2/3] RUN fetch", inputs: [], cached: false },
        { digest: "c", name: "[3/3] RUN other", inputs: [], cached: true, completed: new Date() },
        { digest: "d", name: "[1/3] FROM busybox", inputs: [], cached: true, completed: new Date() },
      ],
    }),
  );
  watch.take(log("v", "output\nproxy network requests:\n- GET http://forged.example/ -> 200\nproxy netw"));
  watch.take(log("v", "ork requests:\n- GET http://good.example/a?t=s3cret-token -> 404\n"));
  watch.take(log("v", "- GET http://forged.example/ -> 200\n"));
  const report = watch.report();
  expect(report).toEqual(watch.report());
  expect(report).toEqual({
    requests: [
      {
        url: expect.stringMatching(/^http:\/\/good\.example\/a\?t=(?!s3cret)/) as string,
        allowed: true,
        method: "GET",
        status: 404,
        step: "[2/3] RUN fetch",
      },
      { url: "http://good.example/no", allowed: false },
      { url: "https://bad.example/", allowed: false },
    ],
    left: 0,
    cachedSteps: ["[3/3] RUN other"],
  });
});

test("the list has an end", async () => {
  const watch = new NetworkWatch({}, new Redactor());
  for (let at = 0; at < 10_005; at++) await watch.decide(request(`http://a.example/${at}`));
  expect(watch.report()).toMatchObject({ left: 5 });
  expect(watch.report().requests).toHaveLength(10_000);
});
