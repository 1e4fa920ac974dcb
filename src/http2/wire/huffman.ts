/**
 * Length of the code of every byte (RFC 7541, Appendix B), a letter each: "a" is 5 bits, "z" is 30. The code is canonical,
 * so that the lengths are all there is to it: shorter codes come first, and of equally long ones that of the smaller byte.
 */
const lengths =
  "isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhf" +
  "ibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabccccckgjix" +
  "prpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrs" +
  "vvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwv";
const shortest = 5;
const longest = 30;
/** The padding is less than a byte of ones. */
const longestPadding = 7;

/** The code by length: of all codes of `length` bits the first, how many there are, and where their bytes begin in `bytes`. */
interface Code {
  first: Int32Array;
  count: Int32Array;
  start: Int32Array;
  bytes: Uint8Array;
}

let code: Code | undefined;

/** Decodes a string of HPACK's Huffman code; undefined when it is not one. */
export function decodeHuffman(encoded: Uint8Array): Buffer | undefined {
  const { first, count, start, bytes } = (code ??= buildCode());
  const decoded = Buffer.allocUnsafe(Math.floor((encoded.length * 8) / shortest));
  let length = 0;
  let bits = 0;
  let taken = 0;
  let isPadding = true;
  for (const byte of encoded) {
    for (let at = 7; at >= 0; at--) {
      const bit = (byte >> at) & 1;
      bits = bits * 2 + bit;
      isPadding &&= bit === 1;
      if (++taken > longest) return undefined;
      const index = bits - (first[taken] ?? 0);
      if (index < 0 || index >= (count[taken] ?? 0)) continue;
      decoded[length++] = bytes[(start[taken] ?? 0) + index] ?? 0;
      bits = taken = 0;
      isPadding = true;
    }
  }
  return isPadding && taken <= longestPadding ? decoded.subarray(0, length) : undefined;
}

/** Codes of a length follow each other, and go on behind the last shorter one. */
function buildCode(): Code {
  const first = new Int32Array(longest + 1);
  const count = new Int32Array(longest + 1);
  const start = new Int32Array(longest + 1);
  for (let byte = 0; byte < 256; byte++) count[lengthOf(byte)]!++;
  for (let length = shortest; length <= longest; length++) {
    const shorter = count[length - 1] ?? 0;
    first[length] = ((first[length - 1] ?? 0) + shorter) * 2;
    start[length] = (start[length - 1] ?? 0) + shorter;
  }
  const next = start.slice();
  const bytes = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) bytes[next[lengthOf(byte)]!++] = byte;
  return { first, count, start, bytes };
}

function lengthOf(byte: number): number {
  return lengths.charCodeAt(byte) - "a".charCodeAt(0) + shortest;
}
