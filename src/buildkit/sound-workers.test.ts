import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type WorkerRecord, WorkerRecordSchema } from "./gen/moby/buildkit/v1/types/worker_pb.js";
import { soundWorkers } from "./sound-workers.js";

type Init = NonNullable<Parameters<typeof create<typeof WorkerRecordSchema>>[1]>;

/** As it comes over the wire. */
function worker(init: Init): WorkerRecord {
  return fromBinary(WorkerRecordSchema, toBinary(WorkerRecordSchema, create(WorkerRecordSchema, init)));
}

describe("what a daemon says of its workers", () => {
  it("is taken as it is when it is sound", () => {
    const init = {
      ID: "w",
      Labels: { "org.mobyproject.buildkit.worker.executor": "oci" },
      platforms: [
        { OS: "linux", Architecture: "arm", Variant: "v7" },
        { OS: "windows", Architecture: "amd64", OSVersion: "10.0" },
      ],
      GCPolicy: [{ all: true, keepDuration: 5n, filters: ["type==regular"], reservedSpace: 2n ** 40n }],
    };
    expect(soundWorkers([worker(init)])).toEqual([worker(init)]);
  });

  it.each([
    "linux\u001b[2J",
    "li nux",
    "linux,amd64",
    "../..",
    "a/b",
    "\n::error::x",
    "x".repeat(10_000_000),
    "\u202e",
  ])("SEC-67 refuses a platform that is none, by name (%#)", (part) => {
    for (const field of ["OS", "Architecture", "Variant"] as const) {
      const found = worker({ platforms: [{ OS: "linux", Architecture: "amd64", [field]: part }] });
      let message = "";
      try {
        soundWorkers([found]);
      } catch (error) {
        expect(error).toMatchObject({ code: "BUILDKIT_PROTOCOL" });
        ({ message } = error as Error);
      }
      // Two dots are a part of two dots: nothing is done with it but comparing.
      if (part === "../..") expect(message).toContain("../..");
      expect(message).toMatch(/^.*names the platform ".*, which is none$/);
      expect(message.length).toBeLessThan(300);
    }
  });

  it("SEC-67 refuses more platforms than there are", () => {
    const platforms = Array.from({ length: 1001 }, (_, at) => ({ OS: "linux", Architecture: `a${at}` }));
    expect(() => soundWorkers([worker({ platforms })])).toThrow(
      expect.objectContaining({ code: "BUILDKIT_LIMIT" }),
    );
  });

  it("SEC-67 clips texts and limits, and takes no key for a prototype", () => {
    const large = "x".repeat(10_000_000);
    const [found] = soundWorkers([
      worker({
        ID: large,
        Labels: { ["__proto__"]: "p", constructor: "c", [large]: large },
        GCPolicy: [{ keepDuration: -(2n ** 63n), maxUsedSpace: -1n, minFreeSpace: 2n ** 63n - 1n }],
        CDIDevices: [{ Name: large, Annotations: { a: large } }],
      }),
    ]);
    const { ID, Labels, GCPolicy, CDIDevices } = found as WorkerRecord;
    expect(JSON.stringify([ID, Labels, CDIDevices]).length).toBeLessThan(30_000);
    expect(Object.getPrototypeOf(Labels)).toBe(Object.prototype);
    expect(Labels).toMatchObject({ constructor: "c" });
    expect(GCPolicy[0]).toMatchObject({ keepDuration: 0n, maxUsedSpace: 0n, minFreeSpace: 2n ** 63n - 1n });
  });
});
