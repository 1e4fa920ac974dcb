import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { control } from "../../buildkit/index.js";
import type { DaemonClient } from "../../driver/index.js";
import { cacheRecord } from "../disk-usage.js";
import { listAttachments } from "./attachments.js";
import { type BuildRecord, buildRecord } from "./build-record.js";

type Init = NonNullable<Parameters<typeof create<typeof control.BuildHistoryRecordSchema>>[1]>;

/** As it comes over the wire. */
function recordOf(init: Init): BuildRecord {
  const bytes = toBinary(
    control.BuildHistoryRecordSchema,
    create(control.BuildHistoryRecordSchema, { Ref: "r", ...init }),
  );
  const wire = fromBinary(control.BuildHistoryRecordSchema, bytes);
  return buildRecord({ builder: "b", node: "n", wire, localState: undefined, now: new Date(0) });
}

const digest = `sha256:${"a".repeat(64)}`;
const blob = (fields: object) => ({ mediaType: "m", digest, size: 1n, ...fields });
const nonsense = ["", "x", "../../etc/passwd", "sha256:../../../x", `${digest}\n`, "__proto__", `md5:${"a".repeat(32)}`]; // prettier-ignore

describe("a build that a builder remembers", () => {
  it.each(nonsense)("SEC-67 has no blobs whose digest is %j", (wrong) => {
    const wire = blob({ digest: wrong });
    const record = recordOf({
      externalError: wire,
      logs: wire,
      trace: wire,
      Result: { Attestations: [wire, blob({})], Results: { 0: wire, 1: blob({}) } },
    });
    expect(record).not.toHaveProperty("trace");
    expect(record).not.toHaveProperty("logs");
    expect(record).not.toHaveProperty("externalError");
    expect(record.result?.attestations.map((one) => one.digest)).toEqual([digest]);
    expect(record.result?.results.map((one) => one.digest)).toEqual([digest]);
  });

  it("SEC-67 has counts, sizes and times that there are", () => {
    const record = recordOf({
      numTotalSteps: -1,
      numCompletedSteps: -(2 ** 31),
      numWarnings: -5,
      trace: blob({ size: -1n }),
      logs: blob({ size: 2n ** 63n - 1n }),
      CreatedAt: { seconds: 2n ** 62n, nanos: -1 },
      CompletedAt: { seconds: -(2n ** 62n), nanos: 2 ** 31 - 1 },
    });
    expect(record.steps).toEqual({ total: 0, completed: 0, cached: 0 });
    expect(record.warnings).toBe(0);
    expect(record.trace?.size).toBe(0);
    expect(record.logs?.size).toBe(Number.MAX_SAFE_INTEGER);
    expect(record.duration).toBe(0);
    for (const time of [record.createdAt, record.completedAt]) expect(time?.toJSON()).toMatch(/^\d{4}-/);
  });

  it.each(["", "\u001b[2J", "a\nb", "x".repeat(10_000_000)])(
    "SEC-67 refuses an id that is none by name (%#)",
    (Ref) => {
      let message = "";
      try {
        recordOf({ Ref });
      } catch (error) {
        expect(error).toMatchObject({ code: "HISTORY_INVALID" });
        ({ message } = error as Error);
      }
      expect(message).toContain("remembers a build with the id");
      expect(message.length).toBeLessThan(300);
    },
  );

  it("SEC-67 takes no key for a prototype", () => {
    const texts = { ["__proto__"]: "p", constructor: "c" };
    const record = recordOf({
      FrontendAttrs: texts,
      ExporterResponse: texts,
      Results: { ["__proto__"]: { Attestations: [blob({})] } },
      trace: blob({ annotations: texts }),
    });
    for (const map of [record.attrs, record.exporterResponse, record.results, record.trace?.annotations])
      expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["Attestations"]).toBeUndefined();
  });
});

describe("attachments of a build", () => {
  it.each(["frontend's own", "a b/c", "li*nux/x", "x".repeat(10_000_000)])(
    "SEC-67 of a result that is called what no platform is are listed (%#)",
    async (name) => {
      const record = recordOf({ Results: { [name]: { Attestations: [blob({})] } } });
      const found = await listAttachments({} as DaemonClient, record);
      expect(found).toHaveLength(1);
      expect(found[0]?.platform?.length).toBeLessThan(300);
    },
  );
});

describe("a record of a builder's cache", () => {
  it("SEC-67 has sizes, times and texts that can be shown", () => {
    const large = "x".repeat(10_000_000);
    const found = cacheRecord(
      create(control.UsageRecordSchema, {
        ID: large,
        Size: -1n,
        UsageCount: 2n ** 63n - 1n,
        Description: large,
        RecordType: large,
        Parents: [large],
        CreatedAt: { seconds: 2n ** 62n, nanos: 2 ** 31 - 1 },
      }),
    );
    const { wire: _, ...data } = found;
    expect(data).toMatchObject({ size: 0, usageCount: Number.MAX_SAFE_INTEGER });
    expect(JSON.stringify(data).length).toBeLessThan(300_000);
  });
});
