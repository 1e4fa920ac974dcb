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

/** For each length: the first code, how many codes there are, and where their bytes begin in `symbols`. */
const { first, count, begin, symbols } = codeTable();

/** Decodes a string of HPACK's Huffman code; undefined when it is not one. */
export function decodeHuffman(encoded: Uint8Array): Buffer | undefined {
  const decoded = Buffer.allocUnsafe(Math.floor((encoded.length * 8) / shortest));
  let length = 0;
  let code = 0;
  let bits = 0;
  for (const byte of encoded) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      if (++bits < shortest) continue;
      const index = code - (first[bits] as number);
      if (index < (count[bits] as number)) {
        decoded[length++] = symbols[(begin[bits] as number) + index] as number;
        code = 0;
        bits = 0;
      } else if (bits === longest) {
        return undefined;
      }
    }
  }
  // The padding is less than a byte of ones.
  return bits < 8 && code === (1 << bits) - 1 ? decoded.subarray(0, length) : undefined;
}

function codeTable() {
  const first: number[] = [];
  const count: number[] = [];
  const begin: number[] = [];
  const symbols: number[] = [];
  let next = 0;
  for (let length = shortest; length <= longest; length++) {
    first[length] = next;
    begin[length] = symbols.length;
    for (let byte = 0; byte < 256; byte++) {
      if (lengths.charCodeAt(byte) - "a".charCodeAt(0) + shortest === length) symbols.push(byte);
    }
    const codes = symbols.length - (begin[length] as number);
    count[length] = codes;
    next = (next + codes) * 2;
  }
  return { first, count, begin, symbols };
}
