import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeBuilder } from "../../test/support/fake-builder.js";
import type { EventSink } from "../core/index.js";
import { writeLayout } from "../../test/support/write-layout.js";
import { Builder } from "../builder/index.js";
import { createImage, dialBuilder, history, inspectImage } from "./index.js";

let fake: FakeBuilder;
beforeEach(async () => void (fake = await FakeBuilder.open()));
afterEach(() => fake[Symbol.asyncDispose]());

const bug = new Error("a bug in the display");

const sinks: [how: string, sink: EventSink][] = [
  [
    "throws",
    () => {
      throw bug;
    },
  ],
  // oxlint-disable-next-line typescript/no-misused-promises -- what is tested
  ["rejects", async () => Promise.reject(bug)],
];

const calls: [what: string, call: (onEvent: EventSink) => Promise<unknown>][] = [
  ["Builder.boot()", async (onEvent) => (await fake.builder()).boot({ onEvent })],
  ["dialBuilder()", (onEvent) => dialBuilder({ builder: "b", env: fake.env, onEvent })],
  ["history()", (onEvent) => history({ builder: "b", env: fake.env, onEvent })],
  [
    "createImage()",
    async (onEvent) => {
      const source = join(fake.dir, "layout");
      await writeLayout(source);
      const tags = [`oci-layout://${join(fake.dir, "made")}:1`];
      return createImage({ sources: [`oci-layout://${source}:1`], tags, env: fake.env, onEvent });
    },
  ],
];

test.each(calls.flatMap(([what, call]) => sinks.map(([how, sink]) => ({ what, how, call, sink }))))(
  "an onEvent of $what that $how is told nothing more, and its error thrown when the work is over",
  async ({ call, sink }) => {
    let told = 0;
    await expect(
      call((event) => {
        told++;
        return sink(event);
      }),
    ).rejects.toBe(bug);
    // A rejection is known a turn later.
    expect(told).toBeLessThan(3);
  },
);

const warned: [what: string, call: (onWarning: () => unknown) => Promise<unknown>][] = [
  ["Builder.open()", (onWarning) => Builder.open({ name: "b", env: fake.env, onWarning })],
  ["Builder.list()", (onWarning) => Builder.list({ env: fake.env, onWarning })],
  ["Builder.create()", (onWarning) => Builder.create({ name: "c", env: fake.env, onWarning })],
  [
    "inspectImage()",
    async (onWarning) => {
      const source = join(fake.dir, "layout");
      await writeLayout(source);
      return inspectImage(`oci-layout://${source}:1`, { env: fake.env, onWarning });
    },
  ],
];

test.each(warned.flatMap(([what, call]) => sinks.map(([how, bad]) => ({ what, how, call, bad }))))(
  "an onWarning of $what that $how ends that call, and not the process",
  async ({ call, bad }) => {
    await mkdir(join(fake.dir, "docker"), { recursive: true });
    await writeFile(join(fake.dir, "docker", "config.json"), '{"proxies": 1}');
    await expect(call(() => bad({ type: "end" }))).rejects.toBe(bug);
  },
);
