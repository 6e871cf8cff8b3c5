import type { Handover } from "../handover/handover.ts";
import type { HandoverRows } from "../result.ts";

/** What became of the requests that change pools, so far. The arrays are those of the run. */
export const handoverRows = ({
  askedNs,
  reservedNs,
  computedNs,
  arrivedNs,
  decodedNs,
  bytes,
}: Handover): HandoverRows => ({ askedNs, reservedNs, computedNs, arrivedNs, decodedNs, bytes });
