import fc from "fast-check";
import { drawn } from "./drawn.ts";

/** What fast-check draws where a property states no number. */
fc.configureGlobal({ numRuns: drawn(100) });
