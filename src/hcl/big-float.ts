/**
 * A binary float of any precision, as Go's `math/big.Float` with rounding to the nearest even: HCL's only kind of
 * number. The value is ±mantissa·2^exponent; the mantissa is odd, or 0 for zero, so that equal numbers look the same.
 */
export class BigFloat {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Bits that results of arithmetic with this number have, if no other operand has more. */
  readonly precision: number;
  readonly infinite: boolean;

  private constructor(
    negative: boolean,
    mantissa: bigint,
    exponent: number,
    precision: number,
    infinite: boolean,
  ) {
    this.negative = negative;
    this.mantissa = mantissa;
    this.exponent = exponent;
    this.precision = precision;
    this.infinite = infinite;
  }

  /** ±mantissa·2^exponent, rounded to `precision` bits. */
  static of(negative: boolean, mantissa: bigint, exponent: number, precision: number): BigFloat {
    if (mantissa === 0n) return new BigFloat(negative, 0n, 0, precision, false);
    const excess = bitLength(mantissa) - precision;
    let rounded = mantissa;
    let power = exponent;
    if (excess > 0) {
      const cut = BigInt(excess);
      const rest = rounded & ((1n << cut) - 1n);
      const half = 1n << (cut - 1n);
      rounded >>= cut;
      power += excess;
      if (rest > half || (rest === half && (rounded & 1n) === 1n)) rounded += 1n;
    }
    const zeros = trailingZeros(rounded);
    return new BigFloat(negative, rounded >> BigInt(zeros), power + zeros, precision, false);
  }

  /** A whole number; Go gives those 64 bits, or as many as they need. */
  static integer(value: number | bigint): BigFloat {
    const whole = BigInt(value);
    const magnitude = whole < 0n ? -whole : whole;
    return BigFloat.of(whole < 0n, magnitude, 0, Math.max(64, bitLength(magnitude)));
  }

  /** A double, with its 53 bits. NaN has no place here and throws. */
  static double(value: number): BigFloat {
    if (Number.isNaN(value)) throw new RangeError("not a number");
    if (!Number.isFinite(value)) return BigFloat.infinity(value < 0);
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, value);
    const raw = bits.getBigUint64(0);
    const exponent = Number((raw >> 52n) & 0x7ffn);
    const fraction = raw & ((1n << 52n) - 1n);
    const negative = raw >> 63n === 1n;
    return exponent === 0
      ? BigFloat.of(negative, fraction, -1074, 53)
      : BigFloat.of(negative, fraction | (1n << 52n), exponent - 1075, 53);
  }

  static infinity(negative: boolean): BigFloat {
    return new BigFloat(negative, 0n, 0, 64, true);
  }

  get isZero(): boolean {
    return this.mantissa === 0n && !this.infinite;
  }

  /** -1, 0 or 1. */
  get sign(): number {
    if (this.isZero) return 0;
    return this.negative ? -1 : 1;
  }

  get isInteger(): boolean {
    return !this.infinite && (this.mantissa === 0n || this.exponent >= 0);
  }

  /** The whole part, cut towards zero; `undefined` for infinity. */
  truncate(): bigint | undefined {
    if (this.infinite) return undefined;
    const magnitude =
      this.exponent >= 0 ? this.mantissa << BigInt(this.exponent) : this.mantissa >> BigInt(-this.exponent);
    return this.negative ? -magnitude : magnitude;
  }

  /** The nearest double. */
  toDouble(): number {
    if (this.infinite) return this.negative ? -Infinity : Infinity;
    const short = BigFloat.of(this.negative, this.mantissa, this.exponent, 53);
    const magnitude =
      Number(short.mantissa) * 2 ** Math.max(short.exponent, -1000) * 2 ** Math.min(0, short.exponent + 1000);
    return this.negative ? -magnitude : magnitude;
  }

  withPrecision(precision: number): BigFloat {
    return this.infinite ? this : BigFloat.of(this.negative, this.mantissa, this.exponent, precision);
  }

  negated(): BigFloat {
    return new BigFloat(!this.negative, this.mantissa, this.exponent, this.precision, this.infinite);
  }

  absolute(): BigFloat {
    return this.negative ? this.negated() : this;
  }

  /** Throws a RangeError for +∞ + -∞, as all arithmetic here does where Go has no answer. */
  plus(other: BigFloat): BigFloat {
    if (this.infinite || other.infinite) {
      if (this.infinite && other.infinite && this.negative !== other.negative) throw new RangeError("∞ - ∞");
      return this.infinite ? this : other;
    }
    const precision = Math.max(this.precision, other.precision);
    if (this.isZero && other.isZero) return BigFloat.of(this.negative && other.negative, 0n, 0, precision);
    const exponent = Math.min(this.exponent, other.exponent);
    const sum = this.#signedAt(exponent) + other.#signedAt(exponent);
    return BigFloat.of(sum < 0n, sum < 0n ? -sum : sum, exponent, precision);
  }

  minus(other: BigFloat): BigFloat {
    return this.plus(other.negated());
  }

  /** go-cty keeps all bits of a product up to 512, where Go alone would round to the operands' precision. */
  times(other: BigFloat): BigFloat {
    const negative = this.negative !== other.negative;
    if (this.infinite || other.infinite) {
      if (this.isZero || other.isZero) throw new RangeError("0 · ∞");
      return BigFloat.infinity(negative);
    }
    const product = BigFloat.of(
      negative,
      this.mantissa * other.mantissa,
      this.exponent + other.exponent,
      512,
    );
    const precision = Math.max(this.precision, other.precision, bitLength(product.mantissa));
    return product.withPrecision(precision);
  }

  dividedBy(other: BigFloat): BigFloat {
    const negative = this.negative !== other.negative;
    const precision = Math.max(this.precision, other.precision);
    if ((this.isZero && other.isZero) || (this.infinite && other.infinite)) throw new RangeError("0 / 0");
    if (this.infinite || other.isZero) return BigFloat.infinity(negative);
    if (other.infinite || this.isZero) return BigFloat.of(negative, 0n, 0, precision);
    // Two bits more than are kept, and one for whatever is left, so that rounding sees which side it is on.
    const shift = Math.max(0, precision + 2 - bitLength(this.mantissa) + bitLength(other.mantissa));
    const dividend = this.mantissa << BigInt(shift);
    const quotient = dividend / other.mantissa;
    const sticky = quotient * other.mantissa === dividend ? 0n : 1n;
    return BigFloat.of(
      negative,
      (quotient << 1n) | sticky,
      this.exponent - other.exponent - shift - 1,
      precision,
    );
  }

  /** Less than 0, 0, or more than 0. */
  compare(other: BigFloat): number {
    if (this.sign !== other.sign) return this.sign - other.sign;
    if (this.infinite || other.infinite) {
      return (this.infinite ? this.sign : 0) - (other.infinite ? other.sign : 0);
    }
    const exponent = Math.min(this.exponent, other.exponent);
    const difference = this.#signedAt(exponent) - other.#signedAt(exponent);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  equals(other: BigFloat): boolean {
    return this.compare(other) === 0;
  }

  #signedAt(exponent: number): bigint {
    const magnitude = this.mantissa << BigInt(this.exponent - exponent);
    return this.negative ? -magnitude : magnitude;
  }
}

/** Bits of a number that is not negative: 0 for 0, 3 for 4. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] as string, 16)));
}

function trailingZeros(value: bigint): number {
  let zeros = 0;
  let rest = value;
  while ((rest & 0xffffffffn) === 0n) {
    rest >>= 32n;
    zeros += 32;
  }
  const low = Number(rest & 0xffffffffn);
  return zeros + (31 - Math.clz32(low & -low));
}
