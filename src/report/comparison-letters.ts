/** Name of a result in tables by its place among the files: the base is `a`, the others follow. */
export function resultLetter(place: number): string {
  const letter = String.fromCharCode(97 + (place % 26));
  return place < 26 ? letter : `${letter}${Math.floor(place / 26)}`;
}
