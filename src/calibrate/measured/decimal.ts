/** A decimal number as written in tables; NaN for anything else, such as an empty cell, `inf` or `0x10`. */
export function decimal(cell: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(cell) ? Number(cell) : Number.NaN;
}
