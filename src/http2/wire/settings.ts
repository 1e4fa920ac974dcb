import { defaultFrameSize, defaultWindow, errorCodes, largestWindow, settingIds } from "./codes.js";
import { ProtocolViolation } from "./protocol-violation.js";

/** Longest frame that we make, in bytes, also where a peer takes more: others have their turn in between. */
const longestFrame = 256 * 1024;

/** Payload of a SETTINGS frame. */
export function encodeSettings(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return payload;
}

/** What the peer's settings say about what we send. The rest is advice. */
export class PeerSettings {
  /** Bytes of a new stream's window. */
  initialWindow = defaultWindow;
  /** Bytes of the longest frame to send. */
  frameSize = defaultFrameSize;
  /** Streams that may be open at once. */
  maxStreams = Infinity;
  /** It has said how large a table of headers may be: the next headers have to say that ours is empty (RFC 7541, 4.2). */
  isTableAsked = false;

  /** @throws ProtocolViolation */
  apply(payload: Buffer): void {
    if (payload.length % 6 !== 0)
      throw new ProtocolViolation("settings are cut off", errorCodes.FRAME_SIZE_ERROR);
    for (let at = 0; at < payload.length; at += 6)
      this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  }

  #set(id: number, value: number): void {
    if (id === settingIds.headerTableSize) this.isTableAsked = true;
    else if (id === settingIds.maxConcurrentStreams) this.maxStreams = value;
    else if (id === settingIds.initialWindowSize) {
      if (value > largestWindow)
        throw new ProtocolViolation("the initial window is too large", errorCodes.FLOW_CONTROL_ERROR);
      this.initialWindow = value;
    } else if (id === settingIds.maxFrameSize) {
      if (value < defaultFrameSize || value > 0xff_ffff)
        throw new ProtocolViolation(`frames of ${value} bytes are not to be had`);
      this.frameSize = Math.min(value, longestFrame);
    }
  }
}
