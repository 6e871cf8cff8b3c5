import { refuse } from "../../core/errors.ts";
import type { FileArray } from "../container/arrays.ts";

/** Ids that a type of one byte holds. */
const idsOfByte: Readonly<Record<string, number>> = { "|u1": 256, "|i1": 128 };

/** Refuses ids in a type too narrow for all experts: those beyond it were wrapped into others. */
export function refuseNarrow({ file, name, dtype }: FileArray, experts: number | undefined): void {
  const holds = idsOfByte[dtype];
  if (holds !== undefined && experts !== undefined && experts > holds)
    refuse({
      file,
      at: name,
      expected: `ids of ${experts} experts`,
      found: `${dtype}, which holds ${holds}`,
      hint: "larger ids were wrapped into these when they were stored: record them as int16",
    });
}
