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
/** Nodes that a prefix of the padding leads to: less than a byte of ones. */
const longestPadding = 7;

/**
 * The code as a machine that takes four bits at a time: `steps[state * 16 + bits]` is the next state, and in its upper half
 * the byte that was completed on the way, plus one. No code is shorter than five bits, so it is one at most.
 */
interface Machine {
  steps: Int32Array;
  /** States in which a string may end. */
  isEnd: Uint8Array;
}

let machine: Machine | undefined;

/** Decodes a string of HPACK's Huffman code; undefined when it is not one. */
export function decodeHuffman(encoded: Uint8Array): Buffer | undefined {
  const { steps, isEnd } = (machine ??= buildMachine());
  const decoded = Buffer.allocUnsafe(Math.floor((encoded.length * 8) / shortest));
  let length = 0;
  let state = 0;
  for (const byte of encoded) {
    for (let step = 0; step < 2; step++) {
      const bits = step === 0 ? byte >> 4 : byte & 0x0f;
      const next = steps[state * 16 + bits] as number;
      if (next < 0) return undefined;
      state = next & 0xffff;
      if (next > 0xffff) decoded[length++] = (next >> 16) - 1;
    }
  }
  return isEnd[state] ? decoded.subarray(0, length) : undefined;
}

/** A node of the code's tree: the index of a node, or a byte as `-1 - byte`; undefined where no code leads. */
type Node = [zero: number | undefined, one: number | undefined];

function buildMachine(): Machine {
  const nodes = buildTree();
  const steps = new Int32Array(nodes.length * 16);
  for (let state = 0; state < nodes.length; state++)
    for (let bits = 0; bits < 16; bits++) steps[state * 16 + bits] = walk(nodes, state, bits);
  const isEnd = new Uint8Array(nodes.length);
  let state: number | undefined = 0;
  for (let depth = 0; depth <= longestPadding && state !== undefined && state >= 0; depth++) {
    isEnd[state] = 1;
    state = nodes[state]?.[1];
  }
  return { steps, isEnd };
}

function walk(nodes: readonly Node[], start: number, bits: number): number {
  let state = start;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = nodes[state]?.[((bits >> bit) & 1) as 0 | 1];
    if (next === undefined) return -1;
    if (next >= 0) {
      state = next;
    } else {
      emitted = -next;
      state = 0;
    }
  }
  return (emitted << 16) | state;
}

function buildTree(): Node[] {
  const nodes: Node[] = [[undefined, undefined]];
  let code = 0;
  for (let length = shortest; length <= longest; length++) {
    for (let byte = 0; byte < 256; byte++) {
      if (lengths.charCodeAt(byte) - "a".charCodeAt(0) + shortest !== length) continue;
      insert(nodes, code++, length, byte);
    }
    code *= 2;
  }
  return nodes;
}

function insert(nodes: Node[], code: number, length: number, byte: number): void {
  let at = 0;
  for (let bit = length - 1; bit > 0; bit--) {
    const side = ((code >> bit) & 1) as 0 | 1;
    const node = nodes[at] as Node;
    at = node[side] ??= nodes.push([undefined, undefined]) - 1;
  }
  (nodes[at] as Node)[(code & 1) as 0 | 1] = -1 - byte;
}
