/** How many bytes a peer may send ahead of our reading, in bytes: on one stream, and on all of a connection together. */
export interface Windows {
  stream: number;
  connection: number;
}

const mebibyte = 1024 * 1024;

/** For unix sockets and in-memory pairs. Node's default of 64 KiB costs a factor of 3.6 when receiving (measured). */
export const localWindows: Windows = { stream: mebibyte, connection: 2 * mebibyte };

/** For tcp and ssh, where the delay of a round trip has to be covered. */
export const remoteWindows: Windows = { stream: 8 * mebibyte, connection: 16 * mebibyte };
