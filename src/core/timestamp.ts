/** A time as protobuf sends it (google.protobuf.Timestamp). */
export interface WireTime {
  seconds: bigint;
  nanos: number;
}

// What protobuf allows: the years 1 to 9999.
const first = -62_135_596_800n;
const last = 253_402_300_799n;

/**
 * A time from the wire, moved to the nearest one that there is: whatever a peer sends, it can be printed, subtracted and
 * compared. The value itself is changed.
 */
export function soundTime<T extends WireTime>(time: T): T {
  if (time.seconds < first) time.seconds = first;
  if (time.seconds > last) time.seconds = last;
  if (!(time.nanos >= 0 && time.nanos <= 999_999_999)) time.nanos = 0;
  return time;
}

/** A time from the wire as a Date, which {@link soundTime} keeps valid. Loses what is below 1 ms. */
export function dateOf(time: WireTime): Date {
  const { seconds, nanos } = soundTime(time);
  return new Date(Number(seconds) * 1000 + Math.ceil(nanos / 1e6));
}
