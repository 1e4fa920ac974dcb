import { http2Frame } from "./http2-frame.js";
import { duplexPair, type Duplex } from "node:stream";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4 };
const flags = { endStream: 1, ack: 1, endHeaders: 4 };

/** What {@link onePacketServer} answers every call with. */
export interface OnePacketAnswer {
  headers: Record<string, string>;
  /** One DATA frame each. */
  data: readonly Buffer[];
  /** A number is the code of a reset in their place, in a packet of its own. */
  trailers: Record<string, string> | number;
}

/**
 * An HTTP/2 server in bytes: it answers a call, once that was made to its end, with head, data and trailers in one piece, as
 * a daemon's short answer arrives in one packet. No server made with node:http2 does that.
 */
export function onePacketServer(answer: OnePacketAnswer): Duplex {
  const [ours, theirs] = duplexPair();
  let received: Buffer = Buffer.alloc(0);
  let begun = false;
  const onFrame = (type: number, flag: number, stream: number) => {
    if (type === frameTypes.settings && !(flag & flags.ack)) {
      theirs.write(http2Frame(frameTypes.settings, flags.ack, 0));
    }
    if ((type === frameTypes.headers || type === frameTypes.data) && flag & flags.endStream) {
      theirs.write(inOnePiece(answer, stream));
      if (typeof answer.trailers === "number") {
        const code = Buffer.alloc(4);
        code.writeUInt32BE(answer.trailers);
        setTimeout(() => theirs.write(http2Frame(frameTypes.reset, 0, stream, code)), 10);
      }
    }
  };
  theirs.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (!begun && received.length >= preface.length) {
      begun = true;
      received = received.subarray(preface.length);
      theirs.write(http2Frame(frameTypes.settings, 0, 0));
    }
    if (!begun) return;
    while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const [type, flag, stream] = [received.readUInt8(3), received.readUInt8(4), received.readUInt32BE(5)];
      received = received.subarray(9 + received.readUIntBE(0, 3));
      onFrame(type, flag, stream);
    }
  });
  theirs.on("error", () => {});
  return ours;
}

function inOnePiece({ headers, data, trailers }: OnePacketAnswer, stream: number): Buffer {
  return Buffer.concat([
    // 0x88 is `:status: 200` of HPACK's static table.
    http2Frame(
      frameTypes.headers,
      flags.endHeaders,
      stream,
      Buffer.concat([Buffer.of(0x88), hpack(headers)]),
    ),
    ...data.map((payload) => http2Frame(frameTypes.data, 0, stream, payload)),
    ...(typeof trailers === "number"
      ? []
      : [http2Frame(frameTypes.headers, flags.endHeaders | flags.endStream, stream, hpack(trailers))]),
  ]);
}

/** Fields as literals that are neither indexed nor compressed (RFC 7541, 6.2.2); names and values below 127 bytes. */
function hpack(fields: Record<string, string>): Buffer {
  const texts = Object.entries(fields).flatMap(([name, value]) => [
    Buffer.of(0, name.length),
    Buffer.from(name),
    Buffer.of(value.length),
    Buffer.from(value),
  ]);
  return Buffer.concat(texts);
}
