import { refuse } from "../core/errors.ts";
import type { RoutingTraceFile } from "./container/open-trace.ts";
import { phases } from "./container/trace-tensors.ts";
import type { RoutingOrigin } from "./routing-table.ts";

const scanRows = 1 << 16;

/** One pass over the columns: length and domain of each sequence, and the phase of the trace. */
export async function scanSequences(file: RoutingTraceFile) {
  const lengths: number[] = [];
  const domainOf: number[] = [];
  const seenPhases = new Set<number>();
  const domainCount = file.header.domains.length;
  const has = (column: "domain" | "phase") => file.columns.includes(column);
  for (let from = 0; from < file.rows; from += scanRows) {
    const to = Math.min(file.rows, from + scanRows);
    const sequences = await file.readColumn("sequence", from, to);
    const domains = has("domain") ? await file.readColumn("domain", from, to) : null;
    if (has("phase")) for (const phase of await file.readColumn("phase", from, to)) seenPhases.add(phase);
    for (let i = 0; i < sequences.length; i++) {
      const sequence = sequences[i]!;
      const domain = domains === null ? 0 : domains[i]!;
      const at = `row ${from + i}`;
      if (sequence > lengths.length)
        refuse({
          file: file.name,
          at,
          expected: `sequence numbers by first appearance (at most ${lengths.length})`,
          found: sequence,
        });
      if (domain >= domainCount)
        refuse({ file: file.name, at, expected: `a domain below ${domainCount}`, found: domain });
      if (sequence === lengths.length) {
        lengths.push(0);
        domainOf.push(domain);
      } else if (domainOf[sequence] !== domain)
        refuse({
          file: file.name,
          at,
          expected: `domain ${domainOf[sequence]} throughout sequence ${sequence}`,
          found: domain,
        });
      lengths[sequence]! += 1;
    }
  }
  return { lengths, domainOf, phase: phaseOf(seenPhases) };
}

function phaseOf(seen: ReadonlySet<number>): RoutingOrigin["phase"] {
  if (seen.size === 0 || seen.has(phases.unknown)) return "unknown";
  if (seen.size > 1) return "mixed";
  return seen.has(phases.prefill) ? "prefill" : seen.has(phases.decode) ? "decode" : "unknown";
}
