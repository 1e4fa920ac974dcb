import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { fsutil } from "../../buildkit/index.js";
import type { EntryStat, WalkEntry } from "../../fs/index.js";
import {
  dataHeadLength,
  statOverhead,
  writeDataEnd,
  writeDataHead,
  writeEndOfListing,
  writeStat,
} from "./packet-encoding.js";
import { packetTypes } from "../fsutil/packet.js";

function entry(fields: Partial<Omit<WalkEntry, "stat">> & { stat?: Partial<EntryStat> }): WalkEntry {
  const path = fields.path ?? "a";
  return {
    path,
    dir: { parent: undefined, name: "" },
    name: path,
    mode: 0o644,
    socket: false,
    size: 0n,
    linkname: "",
    ...fields,
    stat: {
      mode: 0n,
      size: 0n,
      mtimeNs: 0n,
      ctimeNs: 0n,
      dev: 1n,
      ino: 1n,
      nlink: 1n,
      rdev: 0n,
      ...fields.stat,
    },
  };
}

/** The one framed message that `write` makes, decoded by protobuf-es. */
function decoded(write: (target: Buffer, at: number) => number): fsutil.Packet {
  const target = Buffer.alloc(64 * 1024, 0xee);
  const end = write(target, 7);
  expect(target[7]).toBe(0);
  expect(target.readUInt32BE(8)).toBe(end - 12);
  return fromBinary(fsutil.PacketSchema, target.subarray(12, end));
}

test("a STAT packet carries path, mode, size, time and link name", () => {
  const { stat, type } = decoded((target, at) =>
    writeStat(
      target,
      at,
      entry({
        path: "dir/\xff\n",
        mode: 0x8000_01ed,
        size: 5_368_709_121n,
        linkname: "../x",
        stat: { mtimeNs: 7_258_118_400_123_456_789n },
      }),
    ),
  );
  expect(type).toBe(packetTypes.stat);
  expect(stat).toMatchObject({ mode: 0x8000_01ed, size: 5_368_709_121n, uid: 0, gid: 0 });
  expect(stat?.modTime).toBe(7_258_118_400_123_456_789n);
  expect(Buffer.from(stat?.path as unknown as Uint8Array)).toEqual(Buffer.from("dir/\xff\n", "latin1"));
  expect(Buffer.from(stat?.linkname as unknown as Uint8Array).toString()).toBe("../x");
});

test.each([-1n, -1_500_000_000n, -(2n ** 63n), 1n, 127n, 128n, 2n ** 32n, 2n ** 35n, 2n ** 63n - 1n])(
  "FLT-66 the time %d ns comes through",
  (mtimeNs) => {
    const { stat } = decoded((target, at) => writeStat(target, at, entry({ stat: { mtimeNs } })));
    expect(stat?.modTime).toBe(mtimeNs);
  },
);

test.each([90, 100, 127, 128, 130, 4095, 16_384, 20_000])("a path of %d bytes comes through", (length) => {
  const path = "p".repeat(length);
  const { stat } = decoded((target, at) => {
    const end = writeStat(
      target,
      at,
      entry({ path, size: 1n, stat: { mtimeNs: 1_700_000_000_000_000_000n } }),
    );
    expect(end - at).toBeLessThanOrEqual(length + statOverhead);
    return end;
  });
  expect(Buffer.from(stat?.path as unknown as Uint8Array).toString()).toBe(path);
});

test("FLT-60 a device carries its numbers", () => {
  const { stat } = decoded((target, at) =>
    writeStat(target, at, entry({ mode: 0x0420_01b6, stat: { rdev: (1n << 8n) | 5n } })),
  );
  expect(stat).toMatchObject({ devmajor: 1n, devminor: 5n });
});

test("the listing ends with a packet without a stat, a file with one without data", () => {
  const end = decoded(writeEndOfListing);
  expect(end.type).toBe(packetTypes.stat);
  expect(end.stat).toBeUndefined();
  expect(decoded((target, at) => writeDataEnd(target, at, 300))).toMatchObject({
    type: packetTypes.data,
    ID: 300,
    data: new Uint8Array(),
  });
});

test("a DATA packet is its head and the bytes behind it", () => {
  const packet = decoded((target, at) => {
    const start = writeDataHead(target, at, 2 ** 32 - 1, 1000);
    expect(start - at).toBe(dataHeadLength(2 ** 32 - 1, 1000));
    target.fill(7, start, start + 1000);
    return start + 1000;
  });
  expect(packet).toMatchObject({ type: packetTypes.data, ID: 2 ** 32 - 1 });
  expect(Buffer.from(packet.data)).toEqual(Buffer.alloc(1000, 7));
});
