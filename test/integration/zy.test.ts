import { PassThrough, Writable } from "node:stream";
import { test } from "vitest";
import { Builder, connect, files } from "../../src/index.js";

test("hang", async () => {
  const builder = await Builder.ensure({ name: "zy", driverOpts: { network: "host" } });
  await using connection = await connect({ builder });
  const say = (text: string) => console.log(new Date().toISOString(), text);
  const within = async (what: string, work: Promise<unknown>) => {
    const got = await Promise.race([
      work.then(
        (v) => `ok ${typeof v}`,
        (e: Error & { code?: string }) => `error ${e.code} ${e.message}`,
      ),
      new Promise((resolve) => setTimeout(() => resolve("HANGS"), 8000)),
    ]);
    say(`${what}: ${String(got)}`);
  };
  const opened = await connection.openResult({
    context: files({ Dockerfile: "FROM busybox\nRUN head -c 16 /dev/urandom >/random\n" }),
    noCache: true,
  });
  const open = new PassThrough();
  open.write("line\n");
  await within("head", opened.exec(["head", "-n", "1"], { stdin: open }));
  for (let at = 0; at < 6; at++) {
    await within(
      "head of much",
      opened
        .exec(["head", "-n", "1"], { stdin: "x\n".repeat(400_000) })
        .then((r) => say(`exit ${r.exitCode} ${r.stdout.length}`)),
    );
    await within(
      "early out",
      opened
        .exec(["sh", "-c", "sleep 0.1; echo a; exit 3"], { stdin: "x\n".repeat(400_000) })
        .then((r) => say(`exit ${r.exitCode} ${r.stdout.length}`)),
    );
  }
  await within(
    "255",
    opened.exec(["sh", "-c", "exit 255"]).then((r) => say(`exit ${r.exitCode}`)),
  );
  await within(
    "137",
    opened.exec(["sh", "-c", "kill -9 $$"]).then((r) => say(`exit ${r.exitCode}`)),
  );
  await within("copyOut", opened.copyOut("/etc", "/tmp/zy-etc"));
  const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error("the disk is full")) });
  await within("broken", opened.export([{ type: "tar", dest: broken }]));
  const stuck = new Writable({ highWaterMark: 1, write() {} });
  const waiting = opened.export([{ type: "tar", dest: stuck }]);
  waiting.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  await within("close", opened.close());
  await within("waiting", waiting);
  await builder.remove();
}, 60_000);
