/** A count or size from the wire as a number: none is below zero, none too large to be counted with. */
export function soundCount(value: bigint | number): number {
  const number = Number(value);
  return number >= 0 ? Math.min(number, Number.MAX_SAFE_INTEGER) : 0;
}

/** A text from outside that is kept and shown, cut after `most` UTF-16 units. */
export function clipText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
