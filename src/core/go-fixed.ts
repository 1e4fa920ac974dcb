/** Go's `%.<digits>f`: like `toFixed`, but exact ties go to the even digit (`strconv.FormatFloat`). */
export function goFixed(value: number, digits: number): string {
  const scaled = value * 2 ** (digits + 1);
  const isTie = Number.isInteger(scaled) && scaled % 2 !== 0;
  if (!isTie || digits === 0) return value.toFixed(digits);
  const lower = Math.floor(Math.abs(value) * 10 ** digits);
  const even = lower % 2 === 0 ? lower : lower + 1;
  return (Math.sign(value) * (even / 10 ** digits)).toFixed(digits);
}
